import { type Store, memoryStore, readStore, signCut } from "@behest/core";
import { type TestBehest, testBehest } from "@behest/core/testing";
import { canonical, sha256Text, thumbprint } from "@behest/jws";
import { type CutTarget, type EvidenceBundle, type RevocationEntry } from "@behest/provenance";
import { expect, test } from "vitest";
import { liveOf } from "../../core/src/session/session.ts";
import { spanOf } from "../../core/src/revocation/span.ts";
import { type EvidenceReport, verifyEvidence } from "./index.ts";
import { codes, lying } from "../test/lying.ts";

const any = { "*": { constraint_type: "wildcard" } };

interface Taken {
  readonly behest: TestBehest;
  readonly bundle: EvidenceBundle;
  /** Without the signed cut. */
  readonly bare: EvidenceBundle;
}

/** A log whose process takes a cut into it and does not heed it: what is permitted after it, by an agent called "clerk". */
async function unheeded(
  targetOf: (about: { readonly jti: string; readonly iss: string }) => CutTarget,
  said: (ids: { readonly jti: string }) => Pick<RevocationEntry, "target" | "ids">,
): Promise<Taken> {
  const store = memoryStore();
  const behest = await testBehest({
    store,
    content: "keep",
    policy: "default",
    profiles: { look: { effect: "read", boundary: "inside" } },
  });
  await using _ = behest;
  const session = await behest.as("alice", { look: any }, { agent: "clerk" });
  const { jti } = liveOf(session)!.leaf;
  const at = Math.floor(Date.now() / 1000);
  const target = targetOf({ jti, iss: behest.issuer.iss });
  const { jws } = await signCut(target, { reason: "she left", at }, behest.revoker);
  const { before, until } = spanOf({ target, at, signed: at });
  const entry: RevocationEntry = {
    v: 1,
    type: "revocation",
    at: new Date(at * 1000).toISOString(),
    cut: sha256Text(jws),
    revoker: thumbprint(behest.revoker.jwk),
    scope: "*",
    ...said({ jti }),
    ...(before !== undefined && { before: String(before) }),
    ...(until !== undefined && { until: String(until) }),
    content: {},
    links: {},
  };
  await appended(store, canonical(entry));
  const child = await session.delegate({ tools: { look: any } });
  for (const one of [await behest.as("bob", { look: any }), session, child])
    await one.perform({ tool: "look", args: {} }, async () => 1);
  const bare = await readStore(store).evidence();
  return { behest, bare, bundle: { ...bare, cuts: { [sha256Text(jws)]: jws } } };
}

async function appended(store: Store, entry: string): Promise<void> {
  const [symbol] = Object.getOwnPropertySymbols(store);
  type Appending = { append(request: { entry: string; once: string }): Promise<unknown> };
  await (store as never as { [s: symbol]: Appending })[symbol!]!.append({ entry, once: "revocation:x" });
}

async function judged({ behest }: Taken, bundle: EvidenceBundle): Promise<EvidenceReport> {
  return verifyEvidence(bundle, { owner: behest.owner });
}

/** Of what alice's agent does, and its sub-agent. */
function revocation({ records }: EvidenceReport): unknown {
  const [own, below] = records.slice(-2).map(({ states }) => states.revocation);
  expect(below).toBe(own);
  return own;
}

test("a cut of one issuer's delegation names nobody in its entry: without the cut it may concern anything", async () => {
  const taken = await unheeded(
    ({ jti, iss }) => ({ delegation: jti, issuer: iss }),
    () => ({ target: "delegation", ids: [] }),
  );
  expect(codes(await judged(taken, taken.bundle))).toEqual(["permitted_after_cut"]);
  expect(revocation(await judged(taken, taken.bare))).toBe("not_shown");
});

test("a cut of an agent concerns what its process calls it, though no token names it so", async () => {
  const taken = await unheeded(
    () => ({ agent: "clerk" }),
    () => ({ target: "agent", ids: [] }),
  );
  expect(codes(await judged(taken, taken.bundle))).toEqual(["permitted_after_cut"]);
  // Where that is not shown it cannot be told.
  expect(revocation(await judged(taken, { ...taken.bundle, content: {} }))).toBe("not_shown");
  // Another's agent has another name.
  expect((await judged(taken, taken.bundle)).records[0]?.states.revocation).toBe("proven");
  const other = await unheeded(
    () => ({ agent: "another" }),
    () => ({ target: "agent", ids: [] }),
  );
  expect(revocation(await judged(other, other.bundle))).toBe("proven");
});

test("an entry that says of a cut that it concerns somebody else", async () => {
  for (const [target, ids] of [
    ["delegation", ["another"]],
    ["principal", []],
    ["holder", ["another"]],
  ] as const) {
    const taken = await unheeded(
      ({ jti }) => ({ delegation: jti }),
      () => ({ target, ids }),
    );
    const found = codes(await judged(taken, taken.bundle));
    expect(found).toEqual(expect.arrayContaining(["cut_mismatch", "permitted_after_cut"]));
  }
  const right = await unheeded(
    () => ({ principal: "carol" }),
    () => ({ target: "principal", ids: [] }),
  );
  expect(await judged(right, right.bundle)).toMatchObject({ ok: true });
});

test("a root that is said to be younger than it is, so that a cut of its principal would not concern it", async () => {
  const store = lying(({ iat }) => ({ iat: String(Number(iat) + 600) }), "delegation");
  await using behest = await testBehest({ store });
  await behest.as("alice", { look: any });
  const report = await verifyEvidence(await readStore(store).evidence(), { owner: behest.owner });
  expect(report.findings).toContainEqual(
    expect.objectContaining({ code: "delegation_mismatch", message: "its token says otherwise: iat" }),
  );
});
