import type { Signer } from "@behest/jws";
import { beforeAll, expect, test } from "vitest";
import { AT, Deployment, NOW, key } from "../../test/deployment.ts";
import {
  type LogReport,
  type Witness,
  addSignature,
  cosign,
  headOf,
  signCheckpoint,
  signTrust,
  trustHash,
} from "../index.ts";

let keys: Signer[];
const named = (i: number): Witness => ({ name: `w.example/${i}`, jwk: keys[i]!.jwk });
const pinned = (...which: number[]) => which.map(named);

function codes({ findings }: LogReport): string[] {
  return findings.flatMap(({ index, check, code }) =>
    code === "token_not_shown" ? [] : [`${index} ${check} ${code}`],
  );
}

/** The checkpoint over the first `size` entries, cosigned. */
async function witnessed(made: Deployment, size: number, ...by: number[]): Promise<string> {
  const head = made.head(made.entries.slice(0, size));
  const note = signCheckpoint({ origin: made.manifest.origin, ...head }, made.emitter.signer);
  const lines = await Promise.all(by.map((i) => cosign(note, `w.example/${i}`, NOW + i, keys[i]!)));
  return note + lines.join("");
}

beforeAll(async () => {
  keys = await Promise.all(Array.from({ length: 4 }, () => key()));
});

test("k witnesses make a log complete up to what they have seen; it says who and when", async () => {
  const made = await Deployment.withLog(2);
  const checkpoint = await witnessed(made, made.entries.length, 0, 1, 2);
  const report = await made.verify({ checkpoint, witnesses: { need: 2, keys: pinned(0, 1) } });
  expect(report).toMatchObject({ ok: true, completeness: `complete up to ${headOf(made.head())}` });
  expect(report.witnessed).toEqual([
    { name: "w.example/0", at: NOW, size: 7 },
    { name: "w.example/1", at: NOW + 1, size: 7 },
  ]);
});

test("without a witness the report says that nothing proves it complete", async () => {
  const made = await Deployment.withLog(1);
  expect(await made.verify()).toMatchObject({
    ok: true,
    completeness: "consistent, not proven complete",
    witnessed: [],
  });
  // Cosigned by somebody whom nobody has named.
  const cosigned = [await witnessed(made, 3, 0)];
  expect(await made.verify({ cosigned })).toMatchObject({
    ok: true,
    completeness: "consistent, not proven complete",
  });
});

test("fewer than are asked for is missing", async () => {
  const made = await Deployment.withLog(1);
  const checkpoint = await witnessed(made, made.entries.length, 0, 3);
  for (const [need, which] of [
    [2, [0, 1]],
    [2, [0]],
    [1, [1]],
    [2, [0, 0]],
  ] as const) {
    const report = await made.verify({ checkpoint, witnesses: { need, keys: pinned(...which) } });
    expect(codes(report)).toEqual([`${made.entries.length} witness witnesses_missing`]);
    expect(report).toMatchObject({ ok: false, completeness: "consistent, not proven complete" });
  }
  expect(codes(await made.verify({ witnesses: { need: 1 } }))).toEqual([
    `${made.entries.length} witness witnesses_missing`,
  ]);
});

test("whoever has seen a longer log has seen a shorter one: together they reach the shorter", async () => {
  const made = await Deployment.withLog(3);
  const cosigned = [await witnessed(made, 4, 0), await witnessed(made, 7, 1), await witnessed(made, 2, 2)];
  const up = async (need: number): Promise<string> =>
    (await made.verify({ cosigned, witnesses: { need, keys: pinned(0, 1, 2) } })).completeness;
  const at = (size: number): string => `complete up to ${headOf(made.head(made.entries.slice(0, size)))}`;
  expect([await up(1), await up(2), await up(3)]).toEqual([at(7), at(4), at(2)]);
  expect(await up(4)).toBe("consistent, not proven complete");
});

test("a cosignature that does not verify is a failure, and the checkpoint beside it counts for nothing", async () => {
  const made = await Deployment.withLog(1);
  const [good, other] = [await witnessed(made, 5, 0), await witnessed(made, 3, 1)];
  const checkpoint = good + other.trimEnd().split("\n").at(-1)! + "\n";
  const report = await made.verify({ checkpoint, witnesses: { need: 1, keys: pinned(0, 1) } });
  expect(codes(report)).toEqual(["5 witness cosignature_invalid", "5 witness witnesses_missing"]);
  expect(report.findings.find(({ code }) => code === "cosignature_invalid")?.state).toBe("failed");
});

test("what is no checkpoint, or another log's, is a failure", async () => {
  const made = await Deployment.withLog(1);
  expect(codes(await made.verify({ cosigned: ["x"] }))).toEqual(["0 witness malformed_checkpoint"]);
  const note = signCheckpoint({ origin: "log.example/other", ...made.head() }, made.emitter.signer);
  const cosigned = [note + (await cosign(note, "w.example/0", NOW, keys[0]!))];
  const report = await made.verify({ cosigned, witnesses: { need: 1, keys: pinned(0) } });
  expect(codes(report)).toEqual(["5 witness origin_mismatch", "5 witness witnesses_missing"]);
});

test("where logs are pinned too, what none of them signed does not count", async () => {
  const made = await Deployment.withLog(1);
  const note = await witnessed(made, 5, 0);
  const log = { name: made.manifest.origin, jwk: made.enforcer.jwk };
  const witnesses = { need: 1, keys: pinned(0), logs: [log] };
  expect(codes(await made.verify({ cosigned: [note], witnesses }))).toEqual(["5 witness witnesses_missing"]);
  const signed = await addSignature(note, made.manifest.origin, made.enforcer);
  expect((await made.verify({ cosigned: [signed], witnesses })).ok).toBe(true);
});

/** A log whose manifest names witnesses. */
async function withWitnesses(...witnesses: Witness[]): Promise<Deployment> {
  const made = await Deployment.make();
  const manifest = { ...made.manifest, witnesses };
  made.open(made.emitter, await signTrust(manifest, made.owner));
  for (let i = 0; i < 4; i++) made.append(made.delegation());
  return Object.assign(made, { manifest, trust: await signTrust(manifest, made.owner) });
}

test("the witnesses that the trust manifest names count without being pinned, each in its range", async () => {
  const made = await withWitnesses({ ...named(0), until: 3 }, { ...named(1), from: 3 });
  const up = async (size: number, ...by: number[]): Promise<boolean> => {
    const cosigned = [await witnessed(made, size, ...by)];
    return (await made.verify({ cosigned, witnesses: { need: by.length } })).ok;
  };
  expect([await up(3, 0), await up(4, 0), await up(3, 1), await up(4, 1)]).toEqual([
    true,
    false,
    false,
    true,
  ]);
  expect(await up(4, 0, 1)).toBe(false);
  // Nothing is asked for, and what was had is said.
  expect(await made.verify({ cosigned: [await witnessed(made, 4, 1)] })).toMatchObject({
    ok: true,
    completeness: expect.stringContaining("complete up to 4:"),
    witnessed: [{ name: "w.example/1", size: 4 }],
  });
});

test("a witness that a later manifest takes back no longer counts from there on; whoever pins it still counts it", async () => {
  const made = await withWitnesses(named(0));
  const cosigned = [await witnessed(made, 2, 0), await witnessed(made, 4, 0)];
  const change = {
    ...made.manifest,
    seq: 2,
    prev: trustHash(made.trust),
    witnesses: [{ ...named(0), until: 3 }],
  };
  made.append({ v: 1, type: "trust", at: AT, manifest: await signTrust(change, made.owner) });
  expect(await made.verify({ cosigned, witnesses: { need: 1 } })).toMatchObject({
    completeness: expect.stringContaining("complete up to 2:"),
  });
  expect(await made.verify({ cosigned, witnesses: { need: 1, keys: pinned(0) } })).toMatchObject({
    completeness: expect.stringContaining("complete up to 4:"),
  });
});

test("a witness's key cannot be an enforcer's, and a witness has a name that lines can carry", async () => {
  const made = await Deployment.make();
  const signed = (witnesses: unknown) => signTrust({ ...made.manifest, witnesses } as never, made.owner);
  await expect(signed([{ name: "w", jwk: made.enforcer.jwk }])).rejects.toMatchObject({
    code: "roles_not_apart",
  });
  for (const wrong of [
    { name: "a b" },
    { name: "" },
    { name: "w", from: 3, until: 3 },
    { name: "w", other: 1 },
  ])
    await expect(signed([{ jwk: keys[0]!.jwk, ...wrong }])).rejects.toMatchObject({
      code: "malformed_trust",
    });
  await expect(signed([{ name: "w" }])).rejects.toMatchObject({ code: "malformed_trust" });
});

test("each of several heads is compared, and the longest is what the log is complete up to", async () => {
  const made = await Deployment.withLog(3);
  const heads = [2, 5, 5, 8].map((size) => made.head(made.entries.slice(0, size)));
  expect(await made.verify({ heads })).toMatchObject({
    ok: true,
    completeness: `complete up to ${headOf(heads.at(-1)!)}`,
  });
  const forged = { size: 4, root: heads[0]!.root };
  const longer = { size: 10, root: heads[0]!.root };
  const report = await made.verify({ heads: [...heads, forged, longer], head: heads[1]! });
  expect(codes(report)).toEqual(["4 log head_mismatch", "9 log entries_missing"]);
  expect(report).toMatchObject({ ok: false, completeness: "not consistent" });
});
