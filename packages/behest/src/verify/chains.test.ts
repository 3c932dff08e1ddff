import { BehestError, type Reader, memoryStore, readStore } from "@behest/core";
import { type TestBehest, testBehest } from "@behest/core/testing";
import { type AatTools, type Delegation, issueDelegation, verifyDelegation } from "@behest/delegation";
import { generatePrivateJwk, signerOf, thumbprint } from "@behest/jws";
import { type DelegationEntry, type EntryPayload, readTrust, signTrust } from "@behest/provenance";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Chains } from "./chains.ts";
import { type ReadEntry, readEntry, snapshot } from "./evidence.ts";

const TOOLS: AatTools = { read: { "*": { constraint_type: "wildcard" } } };

let behest: TestBehest;
let reader: Reader;
let entries: ReadEntry[];

/** A log of alice's root, one action, and a sub-agent's derived delegation. */
beforeEach(async () => {
  const store = memoryStore();
  behest = await testBehest({ store });
  const session = await behest.as("alice", TOOLS);
  await session.perform({ tool: "read", args: {} }, async () => "text");
  await session.delegate({ tools: TOOLS });
  reader = readStore(store);
  entries = [];
  for await (const jws of reader.entries()) entries.push(readEntry(jws)!);
});

afterEach(() => behest.close());

type Liar = Partial<Pick<Reader, "chain" | "subject">>;

async function judged(
  change: { liar?: Liar; entry?: (entry: ReadEntry) => ReadEntry; owner?: string } = {},
): Promise<Chains> {
  const { liar = {}, entry = (unchanged) => unchanged, owner = behest.owner } = change;
  const chains = new Chains({ chain: reader.chain, subject: reader.subject, ...liar }, owner);
  for (const [index, read] of entries.entries()) await chains.read(index, entry(read));
  return chains;
}

async function codes(change: Parameters<typeof judged>[0]): Promise<string[]> {
  return (await judged(change)).findings.map(({ index, code, message }) => `#${index} ${code}: ${message}`);
}

function issued(
  claims: { principal?: string; tools?: AatTools; now?: number },
  signer = behest.issuer.signer,
): Promise<Delegation> {
  const { principal = "alice", tools = TOOLS } = claims;
  const { iss } = behest.issuer;
  return issueDelegation(
    { issuer: iss, holder: behest.holder.jwk, principal, task: "test", tools, expiresIn: "1h", ...claims },
    signer,
  );
}

test("chains that say what their entries say leave nothing to find", async () => {
  const chains = await judged();
  expect(chains.findings).toEqual([]);
  expect(entries.map(({ payload }) => payload.type)).toEqual([
    "trust",
    "delegation",
    "action",
    "outcome",
    "delegation",
  ]);
  expect([...chains.judged]).toEqual([1, 4]);
});

/** Shows `chain` in place of the root's. */
function instead(chain: Delegation | undefined | Error): Liar {
  return {
    async chain(leaf) {
      if (leaf !== rootEntry().leaf) return reader.chain(leaf);
      if (chain instanceof Error) throw chain;
      return chain;
    },
  };
}

function rootEntry(): DelegationEntry {
  return entries[1]!.payload as DelegationEntry;
}

/** Changes what the entry at `index` says. */
function saying(index: number, change: object): { entry: (entry: ReadEntry) => ReadEntry } {
  const changed = entries[index]!;
  return {
    entry: (read) =>
      read === changed ? { ...read, payload: { ...read.payload, ...change } as EntryPayload } : read,
  };
}

test("another valid chain in its place is found out", async () => {
  expect(await codes({ liar: instead(await issued({})) })).toEqual([
    expect.stringMatching(/^#1 delegation_mismatch: its token says otherwise: jti, leaf/),
  ]);
});

test("a chain that another issuer signed is refused", async () => {
  const stranger = signerOf(await generatePrivateJwk());
  expect(await codes({ liar: instead(await issued({}, stranger)) })).toEqual([
    expect.stringMatching(/^#1 issuer_untrusted: /),
  ]);
});

test("a chain that had expired when it was used is refused", async () => {
  const late = new Date(Number(rootEntry().exp) * 1000).toISOString();
  expect(await codes(saying(1, { at: late }))).toEqual([expect.stringMatching(/^#1 delegation_expired: /)]);
});

test("what was valid then stays proven after it has expired", async () => {
  const then = Math.floor(Date.now() / 1000) - 7200;
  const old = await issued({ now: then });
  const { leaf } = await verifyDelegation(old, {
    issuers: [{ iss: behest.issuer.iss, jwk: behest.issuer.signer.jwk }],
    now: then,
  });
  const facts = {
    jti: leaf.jti,
    leaf: leaf.hash,
    exp: String(leaf.exp),
    iat: String(leaf.iat),
    at: new Date(then * 1000).toISOString(),
  };
  const chain: Liar = { chain: async (asked) => (asked === leaf.hash ? old : undefined) };
  expect((await judged({ ...saying(1, facts), liar: chain })).findings).toEqual([]);
});

test.for([
  ["jti", { jti: "another" }],
  ["holder", { holder: "A".repeat(43) }],
  ["depth", { depth: 1 }],
  ["exp", { exp: "4000000000" }],
  ["issuer", { issuer: "A".repeat(43) }],
  ["issuer", { issuer: undefined }],
  ["parent", { links: { parent: "A".repeat(43) } }],
  ["principal", { principal: "nobody" }],
] as const)("an entry with another %s than its token is found out", async ([name, change]) => {
  expect(await codes(saying(1, change))).toEqual([
    `#1 delegation_mismatch: its token says otherwise: ${name}`,
  ]);
});

test("a child whose entry links to another parent is found out", async () => {
  expect(await codes(saying(4, { links: {} }))).toEqual([
    "#4 delegation_mismatch: its token says otherwise: parent",
  ]);
  expect(await codes(saying(4, { issuer: "A".repeat(43) }))).toEqual([
    "#4 delegation_mismatch: its token says otherwise: issuer",
  ]);
});

test("a chain whose issuer may not assert its tenant or subject is found out", async () => {
  const owner = signerOf(await generatePrivateJwk());
  const { manifest: jws } = entries[0]!.payload as { manifest: string };
  const manifest = await readTrust(jws, behest.owner);
  const under = async (limit: object): Promise<string[]> => {
    const issuers = manifest.issuers.map((issuer) => ({ ...issuer, ...limit }));
    const limited = saying(0, { manifest: await signTrust({ ...manifest, issuers }, owner) });
    return codes({ ...limited, owner: thumbprint(owner.jwk) });
  };
  const refused = [1, 4].map((index) => expect.stringMatching(`^#${index} issuer_not_allowed: `) as string);
  expect(await under({})).toEqual([]);
  expect(await under({ subjects: ["alice"], tenants: "*" })).toEqual([]);
  expect(await under({ subjects: ["bob"] })).toEqual(refused);
  expect(await under({ tenants: ["acme"] })).toEqual(refused);
});

test("a pseudonym that stands for somebody else than the token says is found out", async () => {
  const subject: Liar["subject"] = async () => ({ issuer: behest.issuer.iss, subject: "mallory" });
  expect(await codes({ liar: { subject } })).toEqual([
    "#1 delegation_mismatch: its token says otherwise: principal",
    "#4 delegation_mismatch: its token says otherwise: principal",
  ]);
});

test("a permitted tool that the chain does not name is found out; a denied one is not blamed", async () => {
  const change = saying(2, { tool: "pay" });
  expect(await codes(change)).toEqual([
    "#2 tool_not_granted: permitted, but its delegation does not name the tool",
  ]);
  expect(await codes(saying(2, { tool: "pay", verdict: "deny" }))).toEqual([]);
  expect(await codes(saying(2, { tool: "__proto__" }))).toHaveLength(1);
});

test("a tool that its entry does not name is neither proven nor refuted under shadow, and was never granted else", async () => {
  const { findings } = await judged(saying(2, { tool: "(unnamed)", enforce: "shadow" }));
  expect(findings).toMatchObject([{ index: 2, state: "not_shown", code: "tool_not_shown" }]);
  expect(await codes(saying(2, { tool: "(unnamed)" }))).toHaveLength(1);
});

test("a sealed chain that does not open was altered", async () => {
  expect(await codes({ liar: instead(new Error("unable to authenticate")) })).toEqual([
    "#1 content_altered: its sealed chain was altered",
  ]);
});

test("a chain that is gone is missing, unless a proven entry says that its principal was erased", async () => {
  const gone = await judged({ liar: instead(undefined) });
  expect(gone.findings).toEqual([]);
  expect([...gone.judged]).toEqual([4]);
  await gone.finish(["somebody else"]);
  expect(gone.findings).toMatchObject([{ index: 1, state: "missing", code: "content_missing" }]);
  const { principal } = rootEntry();
  const erased = await judged({ liar: { ...instead(undefined), subject: async () => undefined } });
  await erased.finish([principal]);
  expect(erased.findings.filter(({ code }) => code === "content_missing")).toEqual([]);
});

test("a principal who was erased, and is still in the store, was not", async () => {
  const chains = await judged();
  const erasure = {
    v: 1,
    type: "erasure",
    at: rootEntry().at,
    kind: "principal",
    principals: [rootEntry().principal],
    content: { reason: "A".repeat(43) },
    links: {},
  };
  await chains.read(5, { hash: "A".repeat(43), payload: erasure as unknown as EntryPayload });
  await chains.finish([rootEntry().principal]);
  expect(chains.findings).toMatchObject([{ index: 5, state: "failed", code: "not_erased" }]);
});

test("a store that fails is no finding: it ends the verification", async () => {
  const failing = instead(new BehestError("store_failed", "store_failed: the disk is gone."));
  await expect(judged({ liar: failing })).rejects.toThrow("store_failed");
});

test("under another owner nothing is judged: no manifest is believed", async () => {
  const chains = await judged({ owner: "A".repeat(43) });
  expect([...chains.judged]).toEqual([]);
});

test("a store that grows while it is read is shown as it was; what no checkpoint covers is shown", async () => {
  const old = await reader.checkpoint();
  await behest
    .as("bob", TOOLS)
    .then((session) => session.perform({ tool: "read", args: {} }, async () => "text"));
  const read = async (checkpoints: string[]): Promise<number> => {
    const growing = { ...reader, checkpoint: async () => checkpoints.shift()! };
    let count = 0;
    for await (const _ of (await snapshot(growing)).entries) count++;
    return count;
  };
  expect(await read([old, await reader.checkpoint()])).toBe(entries.length);
  expect(await read([old, old])).toBeGreaterThan(entries.length);
  expect(await read(["garbage", "garbage"])).toBeGreaterThan(entries.length);
});
