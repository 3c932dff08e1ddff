import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateSigner, sha256, toBase64url } from "@behest/jws";
import { cosignaturesOf, parseAnyCheckpoint, parseVkey, printAddCheckpoint } from "@behest/provenance";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { StrangersLog, WitnessProcess } from "../../test/witnessing.ts";

const root = mkdtempSync(join(tmpdir(), "behest-witness-"));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;
let folder: string;
let log: StrangersLog;
let other: StrangersLog;
let witness: WitnessProcess;
const conflict = (size: number) => ({ status: 409, type: "text/x.tlog.size", text: `${size}\n` });

async function start(...more: string[]): Promise<WitnessProcess> {
  return (witness = await WitnessProcess.start(folder, [log.vkey, `${other.origin} ${other.vkey}`], ...more));
}
beforeEach(async () => {
  folder = join(root, String(folders++));
  log = new StrangersLog("log.example/a", await generateSigner()).grow(5);
  other = new StrangersLog("go.sum database tree", await generateSigner(), "sum.golang.org").grow(3);
  await start("--name", "witness.example/w1");
});
afterEach(() => witness.kill());

/** The time of the witness's line in `text`, added to the checkpoint. */
async function timeOf(checkpoint: string, text: string): Promise<number | undefined> {
  const [found] = await cosignaturesOf(parseAnyCheckpoint(checkpoint + text), [parseVkey(witness.vkey)]);
  return found?.at;
}

test("it cosigns what extends what it has seen, with the time, and hands out the latest", async () => {
  const first = await witness.post(await log.request(0));
  expect(first.status).toBe(200);
  expect(first.text).toMatch(/^— witness\.example\/w1 \S+\n$/);
  expect(await timeOf(await log.checkpoint(), first.text)).toBeCloseTo(Date.now() / 1000, -2);
  log.grow(12);
  const second = await witness.post(await log.request(5));
  expect(await timeOf(await log.checkpoint(), second.text)).toBeDefined();
  // The same again is no fork.
  expect((await witness.post(await log.request(12))).status).toBe(200);
  const hash = createHash("sha256").update(log.origin).digest("hex");
  const latest = await fetch(`${witness.url}/${hash}/checkpoint`);
  const note = await latest.text();
  expect(parseAnyCheckpoint(note)).toMatchObject({ size: 12, origin: log.origin });
  expect(parseAnyCheckpoint(note).signatures.map(({ name }) => name)).toEqual([
    log.origin,
    "witness.example/w1",
  ]);
  expect(await timeOf(note, "")).toBeDefined();
});

test("a log whose origin is not its key's name, with extension lines, is watched apart from others", async () => {
  const head = { size: other.size, root: other.root };
  const checkpoint = await other.signed(head, other.signer, "an extension\n");
  const answer = await witness.post(printAddCheckpoint({ old: 0, proof: [], checkpoint }));
  expect(await timeOf(checkpoint, answer.text)).toBeDefined();
  expect(await witness.post(await log.request(3, []))).toEqual(conflict(0));
});

test("each refusal has the status that the specification gives it", async () => {
  const refused = async (body: string | Uint8Array<ArrayBuffer>): Promise<number> =>
    (await witness.post(body)).status;
  expect((await witness.post(await log.request(0))).status).toBe(200);
  const seen = log.size;
  log.grow(11);
  const good = await log.request(seen);
  // 400: not the format; the old size is larger than the new.
  for (const body of ["", "x", good.replace("old 5", "old 05"), good.replace("\n\n", "\n"), `${good}x`])
    expect(await refused(body)).toBe(400);
  expect(await refused(new Uint8Array([...Buffer.from("old 0\n\n"), 0xff, 10]))).toBe(400);
  expect(await refused(await log.request(12, []))).toBe(400);
  // 404: nobody's log.
  const unknown = new StrangersLog("log.example/unknown", log.signer).grow(2);
  expect(await refused(await unknown.request(0))).toBe(404);
  // 403: no signature of a key of this log; one that names the key and is not its own.
  const head = { size: log.size, root: log.root };
  const by = async (...signers: StrangersLog["signer"][]): Promise<string> => {
    const checkpoint = await log.signed(head, ...signers);
    return printAddCheckpoint({ old: seen, proof: log.proof(seen), checkpoint });
  };
  expect(await refused(await by(await generateSigner()))).toBe(403);
  const liar = { jwk: log.signer.jwk, sign: (await generateSigner()).sign };
  expect(await refused(await by(liar))).toBe(403);
  const line = (await by(liar)).trimEnd().split("\n").at(-1)!;
  expect(await refused(`${good}${line}\n`)).toBe(403);
  // 409: not from where it stands.
  expect(await witness.post(await log.request(0))).toEqual(conflict(5));
  expect(await witness.post(await log.request(7))).toEqual(conflict(5));
  // 422: not shown to extend it.
  expect(await refused(await log.request(seen, []))).toBe(422);
  expect(await refused(await log.request(seen, log.proof(seen).toReversed()))).toBe(422);
  expect(await refused(await log.request(seen, log.proof(4)))).toBe(422);
  const fork = new StrangersLog(log.origin, log.signer).grow(11, "fork");
  expect(await refused(await fork.request(seen))).toBe(422);
  const same = new StrangersLog(log.origin, log.signer).grow(seen, "fork");
  expect(await refused(await same.request(seen))).toBe(422);
  // And none of it has moved the witness.
  expect((await witness.post(good)).status).toBe(200);
});

test("of an empty log it wants the empty root, and no proof", async () => {
  const checkpoint = await log.signed({ size: 0, root: sha256("x") });
  const empty = await log.signed({ size: 0, root: sha256("") });
  const post = async (asked: Parameters<typeof printAddCheckpoint>[0]) =>
    (await witness.post(printAddCheckpoint(asked))).status;
  expect(await post({ old: 0, proof: [], checkpoint })).toBe(422);
  expect(await post({ old: 0, proof: [sha256("")], checkpoint: await log.checkpoint() })).toBe(422);
  expect(await post({ old: 0, proof: [], checkpoint: empty })).toBe(200);
  expect(await witness.post(await log.request(0))).toMatchObject({ status: 200 });
});

test("other paths and methods, and bodies without end, are refused", async () => {
  const status = async (path: string, method = "GET", body?: string): Promise<number> =>
    (await fetch(`${witness.url}${path}`, { method, ...(body !== undefined && { body }) })).status;
  expect(await status("/add-checkpoint")).toBe(405);
  expect(await status("/")).toBe(404);
  const hash = createHash("sha256").update(log.origin).digest("hex");
  expect(await status(`/${hash}/checkpoint`)).toBe(404);
  expect(await status(`/${hash}/checkpoint`, "POST", "x")).toBe(405);
  expect(await status("/add-checkpoint", "POST", "x".repeat(200_000))).toBe(413);
});

test("of many requests at once from one place, those that would fork or go back are refused", async () => {
  expect((await witness.post(await log.request(0))).status).toBe(200);
  const branches = Array.from({ length: 24 }, (_, i) => {
    const branch = new StrangersLog(log.origin, log.signer).grow(5);
    return branch.grow(6 + i, i % 2 === 0 ? "" : `fork ${i}`);
  });
  // A second process on the same folder takes part.
  const second = await WitnessProcess.start(folder, [log.vkey]);
  try {
    const answers = await Promise.all(
      branches.map(async (branch, i) => (i % 3 === 0 ? second : witness).post(await branch.request(5))),
    );
    const won = answers.flatMap(({ status }, i) => (status === 200 ? [branches[i]!] : []));
    expect(won).toHaveLength(1);
    const { size, root } = won[0]!;
    for (const answer of answers) if (answer.status !== 200) expect(answer).toEqual(conflict(size));
    const hash = createHash("sha256").update(log.origin).digest("hex");
    const kept = parseAnyCheckpoint(await (await fetch(`${witness.url}/${hash}/checkpoint`)).text());
    expect([kept.size, toBase64url(kept.root)]).toEqual([size, toBase64url(root)]);
  } finally {
    await second.kill();
  }
});

test("what it has answered survives a kill: it cosigns nothing shorter and no fork afterwards", async () => {
  let old = 0;
  for (let round = 0; round < 4; round++) {
    // Killed in the midst of answering.
    const asked = [];
    let answered = old;
    for (let i = 1; i <= 8; i++) {
      log.grow(log.size + 1);
      asked.push(
        witness.post(await log.request(answered)).then(
          ({ status }) => status,
          () => 0,
        ),
      );
      if ((await asked[0]) === 200 && i === 1) answered = log.size;
      if (i === 5) await witness.kill();
    }
    await Promise.all(asked);
    const { vkey } = witness;
    await start();
    expect(witness.vkey).toBe(vkey);
    const fork = new StrangersLog(log.origin, log.signer).grow(log.size + 10, "fork");
    const told = await witness.post(await fork.request(0));
    expect(told.status).toBe(409);
    old = Number(told.text);
    expect(old).toBeGreaterThanOrEqual(answered);
    expect((await witness.post(await fork.request(old))).status).toBe(422);
    expect((await witness.post(await log.request(old))).status).toBe(200);
    old = log.size;
  }
});

test("its key is its own: made once, for its owner alone, under one name", async () => {
  const file = join(folder, "witness.jwk");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  const { d } = JSON.parse(readFileSync(file, "utf8")) as { d: string };
  expect(witness.vkey).not.toContain(d);
  await expect(WitnessProcess.start(folder, [log.vkey], "--name", "another")).rejects.toThrow("ended with 2");
  await expect(WitnessProcess.start(`${folder}x`, [log.vkey], "--name", "a b")).rejects.toThrow(
    "ended with 2",
  );
  await expect(WitnessProcess.start(folder, [witness.vkey])).rejects.toThrow("ended with 2");
});
