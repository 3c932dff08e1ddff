import { thumbprint } from "@behest/jws";
import { expect, test } from "vitest";
import { AT, Deployment, NOW, digest, emitterOf, key } from "../../test/deployment.ts";
import { type LogReport, type Manifest, signTrust, trustHash } from "../index.ts";

function said(report: LogReport): string[] {
  return report.findings
    .filter(({ code }) => code !== "token_not_shown")
    .map(({ index, code }) => `${index} ${code}`);
}

/** The next version of a deployment's manifest, as its owner signs it. */
async function next(made: Deployment, change: Partial<Manifest>, signer = made.owner): Promise<string> {
  return signTrust({ ...made.manifest, seq: 2, prev: trustHash(made.trust), ...change }, signer);
}

test("several emitters and a second manifest make one log", async () => {
  const made = await Deployment.withLog(1);
  const first = made.emitter;
  const newcomer = await key();
  const trust = await next(made, { enforcers: [{ jwk: made.enforcer.jwk }, { jwk: newcomer.jwk }] });
  made.open(await emitterOf(newcomer), trust);
  made.append(made.delegation({ leaf: "A".repeat(43) }));
  made.emitter = first;
  made.append(made.delegation({ leaf: "A".repeat(43) }));
  expect(await made.verify()).toMatchObject({ ok: true, proven: 8, counts: { trust: 2 } });
});

test.each<[string, (made: Deployment) => Promise<string>, string]>([
  ["leaves out a number", (made) => next(made, { seq: 3 }), "trust_out_of_sequence"],
  ["names another one before it", (made) => next(made, { prev: "A".repeat(43) }), "trust_out_of_sequence"],
  ["is of another log", (made) => next(made, { origin: "log.example/other" }), "trust_out_of_sequence"],
  ["is the first one again", async (made) => made.trust, "trust_out_of_sequence"],
  ["another owner signed", async (made) => next(made, {}, await key()), "owner_mismatch"],
  ["is none", async () => "x", "malformed_trust"],
])("a later manifest that %s is refused and changes nothing", async (_, manifest, code) => {
  const made = await Deployment.withLog(1);
  made.append({ v: 1, type: "trust", at: AT, manifest: await manifest(made) });
  made.append(made.delegation());
  expect(said(await made.verify())).toEqual([`5 ${code}`]);
});

test("a certificate counts under the manifest beside it, not before", async () => {
  const made = await Deployment.withLog(1);
  const newcomer = await key();
  const trust = await next(made, { enforcers: [{ jwk: made.enforcer.jwk }, { jwk: newcomer.jwk }] });
  const first = made.emitter;
  made.open(await emitterOf(newcomer), null);
  made.emitter = first;
  made.append({ v: 1, type: "trust", at: AT, manifest: trust });
  expect(said(await made.verify())).toEqual(["5 enforcer_not_trusted"]);
});

test("the manifest is the first entry, with the certificate that signs it", async () => {
  const made = await Deployment.make();
  made.append({ v: 1, type: "trust", at: AT, manifest: made.trust });
  made.append({ v: 1, type: "trust", at: AT, certificate: made.emitter.certificate });
  expect(said(await made.verify()).slice(0, 2)).toEqual(["0 key_not_certified", "1 trust_missing"]);
  const late = await Deployment.make();
  late.open(late.emitter, null);
  late.append({ v: 1, type: "trust", at: AT, manifest: late.trust });
  expect(said(await late.verify()).slice(0, 2)).toEqual(["0 trust_missing", "1 trust_missing"]);
});

test.each<[string, (made: Deployment) => Promise<{ certificate: string }>, string]>([
  ["for another log", (made) => emitterOf(made.enforcer, { origin: "log.example/other" }), "origin_mismatch"],
  [
    "that has ended",
    (made) => emitterOf(made.enforcer, { from: NOW - 7200, until: NOW - 3600 }),
    "certificate_not_in_force",
  ],
  [
    "that has not begun",
    (made) => emitterOf(made.enforcer, { from: NOW + 3600, until: NOW + 7200 }),
    "certificate_not_in_force",
  ],
  ["by a key that is no enforcer", async () => emitterOf(await key()), "enforcer_not_trusted"],
  ["by an issuer", (made) => emitterOf(made.issuer), "enforcer_not_trusted"],
  [
    "of another entry key",
    async (made) => ({ ...(await emitterOf(made.enforcer)), signer: await key() }),
    "certificate_misplaced",
  ],
  ["that is none", async () => ({ certificate: "x", signer: await key(), seq: 0 }), "malformed_certificate"],
])("an emitter with a certificate %s proves nothing", async (_, emitter, code) => {
  const made = await Deployment.withLog(1);
  const checkpoint = made.emitter.signer;
  made.open((await emitter(made)) as never, null);
  made.append(made.delegation());
  expect(said(await made.verify({ checkpoint: made.checkpoint(checkpoint) }))).toEqual([
    `5 ${code}`,
    "6 key_not_certified",
  ]);
});

test("a key is certified once", async () => {
  const made = await Deployment.withLog(1);
  made.append({ v: 1, type: "trust", at: AT, certificate: made.emitter.certificate });
  expect(said(await made.verify())).toEqual(["5 certificate_misplaced"]);
});

test("an emitter whose first entries are lost is missing them", async () => {
  const made = await Deployment.withLog(1);
  made.open({ ...(await emitterOf(made.enforcer)), seq: 2 }, null);
  expect(said(await made.verify())).toEqual(["5 sequence_gap"]);
});

test("an entry whose time is outside its key's certificate is refused, give or take a minute", async () => {
  const made = await Deployment.withLog(0);
  const at = (seconds: number) => new Date((NOW + seconds) * 1000).toISOString();
  for (const seconds of [-121, -119, 3659, 3661, 0])
    made.append({ ...made.delegation(), at: at(seconds) } as never);
  expect(said(await made.verify())).toEqual(["3 certificate_not_in_force", "6 certificate_not_in_force"]);
});

test("from the index on at which an enforcer is no longer trusted, its entry keys sign nothing", async () => {
  const made = await Deployment.make();
  const manifest: Manifest = { ...made.manifest, enforcers: [{ jwk: made.enforcer.jwk, until: 2 }] };
  made.open(made.emitter, await signTrust(manifest, made.owner));
  for (let i = 0; i < 3; i++) made.append(made.delegation());
  expect(said(await made.verify())).toEqual([
    "2 key_not_trusted",
    "3 key_not_trusted",
    "4 signature_invalid",
  ]);
});

test("an enforcer that is trusted up to the last entry vouches for the checkpoint over it", async () => {
  const made = await Deployment.make();
  const manifest: Manifest = { ...made.manifest, enforcers: [{ jwk: made.enforcer.jwk, until: 2 }] };
  made.open(made.emitter, await signTrust(manifest, made.owner));
  made.append(made.delegation());
  expect(await made.verify()).toMatchObject({ ok: true, size: 2 });
});

test("what two later manifests take back is told once", async () => {
  const made = await Deployment.withLog(1);
  const newcomer = await key();
  const enforcers = [{ jwk: made.enforcer.jwk, until: 4 }, { jwk: newcomer.jwk }];
  const second = await next(made, { enforcers });
  made.open(await emitterOf(newcomer), second);
  const third = {
    ...made.manifest,
    seq: 3,
    prev: trustHash(second),
    enforcers: enforcers.with(0, { jwk: made.enforcer.jwk, until: 3 }),
  };
  made.append({ v: 1, type: "trust", at: AT, manifest: await signTrust(third, made.owner) });
  expect(said(await made.verify())).toEqual(["4 key_not_trusted", "3 key_not_trusted"]);
});

test("a later manifest takes trust back from an index that is past, and every entry from there on is named", async () => {
  const made = await Deployment.withLog(3);
  const newcomer = await key();
  const enforcers = [{ jwk: made.enforcer.jwk, until: 4 }, { jwk: newcomer.jwk }];
  const stolen = made.emitter;
  made.open(await emitterOf(newcomer), await next(made, { enforcers }));
  const clean = made.emitter;
  made.emitter = stolen;
  made.append(made.delegation());
  made.emitter = clean;
  const report = await made.verify();
  const named = [4, 5, 6, 7, 8].map((i) => `${i} key_not_trusted`);
  expect(said(report)).toEqual([...named, "10 key_not_trusted"]);
  expect(report).toMatchObject({ ok: false, size: 11, proven: 5 });
  expect(said(await made.verify({ checkpoint: made.checkpoint(stolen.signer) }))).toContain(
    "11 signature_invalid",
  );
});

test("an enforcer that a later manifest leaves out signs nothing after it, and what it signed before stands", async () => {
  const made = await Deployment.withLog(1);
  const first = made.emitter;
  const newcomer = await key();
  made.append({
    v: 1,
    type: "trust",
    at: AT,
    manifest: await next(made, { enforcers: [{ jwk: newcomer.jwk }] }),
  });
  made.append(made.delegation());
  made.open(await emitterOf(newcomer), null);
  expect(said(await made.verify())).toEqual(["6 key_not_trusted"]);
  expect(said(await made.verify({ checkpoint: made.checkpoint(first.signer) }))).toContain(
    "8 signature_invalid",
  );
});

test("an issuer is one that the manifest names at that index, also as later manifests see it", async () => {
  const made = await Deployment.withLog(0);
  made.append(made.delegation({ issuer: thumbprint((await key()).jwk) }));
  const withdrawn = [{ iss: "https://issuer.example", jwk: made.issuer.jwk, until: 1 }];
  made.append({ v: 1, type: "trust", at: AT, manifest: await next(made, { issuers: withdrawn }) });
  made.append(made.delegation());
  expect(said(await made.verify())).toEqual([
    "3 issuer_not_trusted",
    "1 issuer_not_trusted",
    "5 issuer_not_trusted",
  ]);
});

test("an issuer whose keys are at a URL is not shown", async () => {
  const made = await Deployment.make();
  const manifest: Manifest = {
    ...made.manifest,
    issuers: [{ iss: "i", jwks: "https://i.example/jwks.json" }],
  };
  made.open(made.emitter, await signTrust(manifest, made.owner));
  made.append(made.delegation());
  const report = await made.verify();
  expect(report.ok).toBe(true);
  expect(report.findings[0]).toMatchObject({ index: 1, state: "not_shown", code: "issuer_not_shown" });
});

test("where the manifest lists policies, an action under others, or under none, is found", async () => {
  const policies = [digest("these")];
  const under = async (policy: string | undefined): Promise<string[]> => {
    const made = await Deployment.make({ policies });
    made.open();
    const delegation = made.append(made.delegation());
    made.append(made.action(delegation, { action: "a", change: policy === undefined ? {} : { policy } }));
    const { findings } = await made.verify();
    return findings.flatMap(({ state, code }) => (state === "failed" ? [code] : []));
  };
  expect(await under(digest("these"))).toEqual([]);
  expect(await under(digest("others"))).toEqual(["policy_not_listed"]);
  expect(await under(undefined)).toEqual(["policy_not_listed"]);
});
