import { memoryStore, readStore } from "@behest/core";
import { canonical, generatePrivateJwk, signerOf, toBase64url } from "@behest/jws";
import {
  type EntryPayload,
  type EvidenceBundle,
  entryHash,
  signCheckpoint,
  signEntry,
} from "@behest/provenance";
import { expect, test } from "vitest";
import { restrictedBehest } from "../../core/test/restricted.ts";
import { AT, digest } from "../../provenance/test/deployment.ts";
import { verifyEvidence } from "./index.ts";

const SIZE = 300;
const signer = signerOf(await generatePrivateJwk());

/** What somebody writes who has no key of any deployment: these payloads, under a checkpoint of their own. */
function junk(
  payloads: readonly EntryPayload[],
  bundle: Omit<EvidenceBundle, "checkpoint"> = EMPTY,
): EvidenceBundle {
  const before = bundle.log.length;
  const added = payloads.map((payload, i) => signEntry(canonical(payload), before + i, signer));
  const log = [...bundle.log, ...added];
  const head = { origin: "log.example/junk", size: log.length, root: new Uint8Array(32) };
  return { ...bundle, log, checkpoint: signCheckpoint(head, signer) };
}

const EMPTY = {
  type: "behest-evidence",
  v: 1,
  log: [],
  tokens: {},
  content: {},
  documents: {},
  cuts: {},
  principals: {},
} as const;

function hashOf(payload: EntryPayload, seq: number): string {
  return hashOfEntry(signEntry(canonical(payload), seq, signer));
}

function hashOfEntry(jws: string): string {
  return toBase64url(entryHash(jws));
}

/** Delegations, each below the one before it. */
function nested(): EntryPayload[] {
  const found: EntryPayload[] = [];
  for (let depth = 0; depth < SIZE; depth++) {
    const parent = found.length > 0 && hashOf(found.at(-1)!, depth - 1);
    found.push({
      v: 1,
      type: "delegation",
      at: AT,
      jti: `j-${depth}`,
      leaf: digest(`token ${depth}`),
      principal: "p",
      holder: signer.jwk.x,
      depth,
      exp: "1",
      iat: "1",
      content: { token: digest("salted") },
      links: { ...(parent && { parent }) },
    });
  }
  return found;
}

test("a chain without end is not walked to its end for each of its hops", async () => {
  let looked = 0;
  const bundle = junk(nested());
  const all = Object.fromEntries(nested().map((one) => ["leaf" in one ? one.leaf : "", "x.y.z"]));
  const tokens = new Proxy(all, {
    getOwnPropertyDescriptor: (of, name) => (looked++, Object.getOwnPropertyDescriptor(of, name)),
  });
  const report = await verifyEvidence({ ...bundle, tokens }, { owner: digest("owner") });
  expect(report.ok).toBe(false);
  expect(looked).toBeLessThan(12 * SIZE);
});

test.for(["null", "1", "[]", "{}", "{"])(
  "an approval that says %s is none, and ends nothing",
  async (said) => {
    const store = memoryStore();
    await using behest = await restrictedBehest({ look: {} }, { store });
    await behest.opened({ approvals: { "*": { finance: 1 } } });
    const honest = await readStore(store).evidence();
    const seq = honest.log.length;
    const approval: EntryPayload = {
      v: 1,
      type: "approval",
      at: AT,
      kind: "decision",
      actions: [],
      decision: `${toBase64url("{}")}.${toBase64url(said)}.AA`,
      links: { actions: [] },
    };
    const action: EntryPayload = {
      v: 1,
      type: "action",
      at: AT,
      action: "a",
      attempt: 1,
      session: "s",
      tool: "look",
      effect: "read",
      boundary: "inside",
      verdict: "permit",
      findings: [],
      decision: "x.y.z",
      content: { args: digest("args") },
      links: { delegation: hashOfEntry(honest.log.at(-1) as string), approvals: [hashOf(approval, seq)] },
    };
    const report = await verifyEvidence(junk([approval, action], honest), { owner: behest.owner });
    expect(report.findings).toContainEqual(expect.objectContaining({ code: "approvals_short" }));
  },
);
