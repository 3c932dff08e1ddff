import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Delegation, generateHolder, issueDelegation } from "@behest/delegation";
import { type Json, canonical, fromBase64url, sha256Text, signCompact, toBase64url, utf8 } from "@behest/jws";
import { commit, signCut } from "@behest/provenance";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTurn } from "../adapter.ts";
import { signDecision } from "../approval/approval.ts";
import { vaultOf } from "../record/content.ts";
import { hmac } from "../record/hmac.ts";
import { type TestBehest, testBehest } from "../testing.ts";
import { sqliteStore } from "../store/sqlite/store.ts";
import { type Store, engine as engineOf } from "../store/types.ts";

const any = { "*": { constraint_type: "wildcard" } } as const;
const holder = await generateHolder();
/** What the attacker guesses, and guesses right. */
const GUESSED = {
  principal: "user-1042",
  task: "Pay the rent",
  agent: "payer",
  run: "chat-77",
  args: { to: "Hans", amount: "900" },
  result: "paid 900 to Hans",
  message: "please pay my rent",
  reason: "it is the same landlord",
  why: "asked by letter",
};

let folder: string;
let path: string;
let store: Store;
let behest: TestBehest;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "behest-guessing-"));
  path = join(folder, "log.db");
  store = sqliteStore(path);
  behest = await testBehest({ store, content: "keep", policy: "default" });
});

afterEach(async () => {
  await behest.close();
  rmSync(folder, { recursive: true });
});

function claims() {
  const { principal, task, agent } = GUESSED;
  const tools = { pay: any, look: any };
  return {
    issuer: behest.issuer.iss,
    holder: holder.jwk,
    principal,
    task,
    agent,
    tools,
    expiresIn: "1h",
  } as const;
}

/** A day in the life of a principal: each kind of entry and row that there is of one. */
async function live(root: Delegation): Promise<Delegation> {
  const { run, args, result, message, reason } = GUESSED;
  const session = await behest.open(root, { holder, run });
  const turn = await openTurn(session, { messages: [message], json: () => null });
  await turn.record({
    model: "m",
    provider: "p",
    tools: [],
    response: message,
    calls: [{ callId: "c-1", tool: "pay" }],
  });
  const pay = () => session.perform({ tool: "pay", args, callId: "c-1" }, async () => result);
  await pay().catch(() => {});
  const [asked] = await behest.approvals.list();
  await behest.approvals.submit(
    asked!.id,
    await signDecision(asked!, { decision: "approve", reason }, behest.approver("approvers")),
  );
  await pay();
  await session.perform({ tool: "nothing", args }, async () => result).catch(() => {});
  const child = await session.delegate({ tools: { pay: any }, agent: "helper", task: GUESSED.task });
  await child.perform({ tool: "look", args }, async () => result).catch(() => {});
  const verdicts = (await behest.records.list()).map(({ verdict }) => verdict);
  expect(new Set(verdicts)).toEqual(new Set(["ask", "permit", "deny"]));
  const { pseudonym, key } = await keyOf();
  const vault = vaultOf(pseudonym, key);
  const rows = await store[engineOf].delegations();
  const spawned = rows.findLast((row) => row.principal === pseudonym)!;
  return {
    chain: (JSON.parse(vault.open(spawned.leaf, "chain", spawned.sealed)) as { chain: string[] }).chain,
  };
}

function keyOf() {
  return store[engineOf].principal(behest.issuer.iss, GUESSED.principal);
}

/** Every text in the database, also inside of texts: what somebody finds who takes all of it. */
function leftovers(): Set<string> {
  using db = new DatabaseSync(path, { readOnly: true });
  const tables = db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    .all();
  const found = new Set<string>();
  const take = (value: unknown): void => {
    if (typeof value === "string") {
      found.add(value);
      for (const part of value.split(/[\s:]/)) found.add(part);
      const [, payload = ""] = value.split(".");
      if (value.startsWith("ey")) take(JSON.parse(Buffer.from(payload, "base64url").toString()));
    } else if (value instanceof Uint8Array) found.add(toBase64url(value));
    else if (typeof value === "object" && value !== null) for (const one of Object.values(value)) take(one);
  };
  for (const { name } of tables)
    for (const row of db.prepare(`SELECT * FROM ${name as string}`).all()) take(row);
  return found;
}

/** Everything of what is left that can be computed from these texts and from what is left, without a key. */
function confirmed(left: ReadonlySet<string>, guesses: readonly string[]): string[] {
  const known = [...left].filter((text) => /^[A-Za-z0-9_-]{22,127}$/.test(text));
  const keys = known
    .flatMap((text) => [utf8(text), fromBytes(text)])
    .filter((key) => key.length > 0 && key.length <= 64);
  return guesses.flatMap((guess) => {
    const tried = [guess, sha256Text(guess), sha256Text(canonical(guess))];
    for (const salt of known) tried.push(commit(salt, guess), commit(salt, canonical(guess)));
    for (const key of keys) tried.push(hmac(key)(guess));
    return tried.some((one) => left.has(one)) ? [guess] : [];
  });
}

function fromBytes(text: string): Uint8Array {
  try {
    return fromBase64url(text);
  } catch {
    return new Uint8Array();
  }
}

/** The signing input of a token as somebody rebuilds it who knows everything that it says but these claims. */
function rebuilt(token: string, without: readonly string[]): string {
  const [head = "", payload = ""] = token.split(".");
  const said = JSON.parse(Buffer.from(payload, "base64url").toString()) as { [claim: string]: Json };
  for (const claim of without) delete said[claim];
  return `${head}.${toBase64url(utf8(JSON.stringify(said)))}`;
}

function guesses(chain: Delegation, without: readonly string[]): string[] {
  const { args, ...texts } = GUESSED;
  return [
    canonical(args),
    ...Object.values(texts),
    ...Object.values(args),
    ...chain.chain.map((token) => rebuilt(token, without)),
  ];
}

const asked = { principal: GUESSED.principal, reason: GUESSED.why, despiteRetention: true };

test("whoever guesses everything right about somebody who was erased is not told so", async () => {
  const chain = await live(await issueDelegation(claims(), behest.issuer.signer));
  const { pseudonym, key } = await keyOf();
  await behest.erase(asked);
  const left = leftovers();
  expect(confirmed(left, guesses(chain, ["salt"]))).toEqual([]);
  // The attack finds what is there to be found: with the tokens themselves, or with the key.
  expect(confirmed(left, guesses(chain, []))).toHaveLength(2);
  const vault = vaultOf(pseudonym, key);
  expect([...left].some((text) => text.startsWith(vault.name("run", GUESSED.run)))).toBe(true);
  expect(left.has(commit(vault.salt(chain.chain[0]!, "x"), "x"))).toBe(false);
});

test("a guess is confirmed while the principal is there: so that the test above could fail", async () => {
  const chain = await live(await issueDelegation(claims(), behest.issuer.signer));
  expect(confirmed(leftovers(), guesses(chain, ["salt"]))).toContain(GUESSED.principal);
});

test("of a token without a salt, signed elsewhere, whom it was for can be confirmed by who knows all else", async () => {
  const { chain } = await issueDelegation(claims(), behest.issuer.signer);
  const [head = "", payload = ""] = rebuilt(chain[0]!, ["salt"]).split(".");
  const read = (text: string) =>
    JSON.parse(Buffer.from(text, "base64url").toString()) as { [claim: string]: Json };
  const plain = {
    chain: [await signCompact(read(head) as { typ: string }, read(payload), behest.issuer.signer)],
  };
  await behest.open(plain, { holder });
  await behest.erase(asked);
  expect(confirmed(leftovers(), guesses(plain, []))).toHaveLength(1);
});

test("a revocation is named in the log by a hash that holds its signature", async () => {
  await live(await issueDelegation(claims(), behest.issuer.signer));
  const cut = await signCut({ principal: GUESSED.principal }, { reason: GUESSED.reason }, behest.revoker);
  await behest.revoke(cut);
  await behest.erase({ ...asked, keepCuts: true });
  const left = leftovers();
  expect(left.has(sha256Text(cut.jws))).toBe(true);
  expect(confirmed(left, [cut.jws.slice(0, cut.jws.lastIndexOf("."))])).toEqual([]);
});
