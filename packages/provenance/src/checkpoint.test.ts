import { publicKey, sha256, toBase64url, utf8, verify } from "@behest/jws";
import { expect, test } from "vitest";
import { ORIGIN, flips, key } from "../test/deployment.ts";
import {
  ProvenanceError,
  headOf,
  parseCheckpoint,
  parseHead,
  signCheckpoint,
  verifyCheckpoint,
} from "./index.ts";
import { fromBase64, keyId, parseNote, toBase64 } from "./note.ts";

const root = sha256("root");
const checkpoint = { origin: ORIGIN, size: 1234, root };
const malformed = expect.objectContaining({ code: "malformed_checkpoint" }) as ProvenanceError;

test("the signed note that Go's documentation shows verifies here", async () => {
  // golang.org/x/mod/sumdb/note: verifier key, message and signature of its example.
  const [name, id, data] = ["PeterNeumann", "c74f20a3", "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"];
  const text =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
  const line = `— ${name} x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=`;
  const theirs = publicKey({ kty: "OKP", crv: "Ed25519", x: toBase64url(fromBase64(data).subarray(1)) });
  const note = parseNote(`${text}\n${line}\n`);
  expect(note.text).toBe(text);
  expect(note.signatures).toMatchObject([{ name, id: toBase64(Buffer.from(id, "hex")) }]);
  expect(keyId(name, theirs.jwk)).toBe(note.signatures[0]!.id);
  expect(await verify(theirs, utf8(note.text), note.signatures[0]!.signature)).toBe(true);
});

test("a checkpoint is a signed note of origin, size and root", async () => {
  const signer = await key();
  const note = signCheckpoint(checkpoint, signer);
  const id = keyId(ORIGIN, signer.jwk);
  const rootText = Buffer.from(root).toString("base64");
  const [text, lines] = note.split("\n\n");
  expect(text).toBe(`${ORIGIN}\n1234\n${rootText}`);
  expect(lines).toMatch(/^— log\.example\/behest [A-Za-z0-9+/]{91}=\n$/);
  const parsed = parseCheckpoint(note);
  expect(parsed).toMatchObject({
    ...checkpoint,
    text: `${ORIGIN}\n1234\n${rootText}\n`,
    signatures: [{ name: ORIGIN, id }],
  });
  expect(await verifyCheckpoint(note, { origin: ORIGIN, jwk: signer.jwk })).toEqual({
    ...checkpoint,
    root: parsed.root,
  });
});

test("a checkpoint with any character changed is refused", async () => {
  const signer = await key();
  const note = signCheckpoint(checkpoint, signer);
  for (const flipped of flips(note))
    await expect(verifyCheckpoint(flipped, { origin: ORIGIN, jwk: signer.jwk })).rejects.toThrow(
      ProvenanceError,
    );
});

test("signatures of unknown keys are ignored, wherever they stand", async () => {
  const [signer, witness] = [await key(), await key()];
  const note = signCheckpoint(checkpoint, signer);
  const [text, ours] = note.split("\n\n") as [string, string];
  const theirs = signCheckpoint({ ...checkpoint, origin: "witness.example" }, witness).split("\n\n")[1]!;
  const sameName = signCheckpoint(checkpoint, witness).split("\n\n")[1]!;
  const longer = `— cosigner.example ${toBase64(new Uint8Array(76))}\n`;
  const log = { origin: ORIGIN, jwk: signer.jwk };
  for (const lines of [`${ours}${theirs}`, `${theirs}${ours}`, `${sameName}${longer}${ours}`])
    expect(await verifyCheckpoint(`${text}\n\n${lines}`, log)).toMatchObject({ size: 1234 });
  await expect(verifyCheckpoint(`${text}\n\n${theirs}${sameName}`, log)).rejects.toMatchObject({
    code: "signature_invalid",
  });
});

test("a line that names the key and does not verify refuses the note, beside a valid one too", async () => {
  const signer = await key();
  const [text, ours] = signCheckpoint(checkpoint, signer).split("\n\n") as [string, string];
  const stale = signCheckpoint({ ...checkpoint, size: 1233 }, signer).split("\n\n")[1]!;
  for (const lines of [`${ours}${stale}`, `${stale}${ours}`, stale])
    await expect(
      verifyCheckpoint(`${text}\n\n${lines}`, { origin: ORIGIN, jwk: signer.jwk }),
    ).rejects.toMatchObject({
      code: "signature_invalid",
    });
});

test.each([
  ["no signature line", (n: string) => n.slice(0, n.indexOf("\n\n") + 2)],
  ["no empty line", (n: string) => n.replace("\n\n", "\n")],
  ["no last newline", (n: string) => n.slice(0, -1)],
  ["an empty line at its end", (n: string) => `${n}\n`],
  ["an empty line before the signatures", (n: string) => n.replace("\n\n", "\n\n\n")],
  ["a hyphen for the dash", (n: string) => n.replace("— ", "- ")],
  ["a malformed line beside a good one", (n: string) => `${n}— witness.example not*base64\n`],
  ["a line without a name", (n: string) => `${n}— AAAAAAAAAAAA\n`],
  ["a name with a plus sign", (n: string) => `${n}— a+b AAAAAAAAAAAA\n`],
  ["a line of four bytes", (n: string) => `${n}— witness.example AAAAAA==\n`],
  ["base64 with stray bits", (n: string) => `${n}— witness.example AAAAAAB=\n`],
  ["base64 without padding", (n: string) => `${n}— witness.example AAAAAAA\n`],
  ["too many lines", (n: string) => n + "— w.example AAAAAAAA\n".repeat(100)],
  ["more characters than any note needs", (n: string) => n + `— w.example ${"AAAA".repeat(1 << 15)}\n`],
  ["carriage returns", (n: string) => n.replaceAll("\n", "\r\n")],
  ["a size with a zero in front", (n: string) => n.replace("\n1234\n", "\n01234\n")],
  ["a signed size", (n: string) => n.replace("\n1234\n", "\n+1234\n")],
  ["a size beyond what is counted exactly", (n: string) => n.replace("\n1234\n", "\n9007199254740993\n")],
  ["an extension line", (n: string) => n.replace("\n\n", "\nextension\n\n")],
  ["a short root", (n: string) => n.replace(/\n[^\n]{44}\n\n/, "\nAAAA\n\n")],
  ["an empty origin", (n: string) => n.slice(n.indexOf("\n"))],
  ["nothing", () => ""],
])("a note with %s is refused", async (_, change) => {
  const note = signCheckpoint(checkpoint, await key());
  expect(change(note)).not.toBe(note);
  expect(() => parseCheckpoint(change(note))).toThrow(malformed);
});

test.each([
  "",
  "two words",
  "new\nline",
  "log\n5",
  "tab\there",
  "a+b",
  "non\u00a0breaking",
  "nul\0",
  "x".repeat(256),
  "\ud800",
])("an origin that could be read in two ways is never signed: %j", async (origin) => {
  const signer = await key();
  expect(() => signCheckpoint({ origin, size: 1, root }, signer)).toThrow(malformed);
});

test("a size or a root that is none is never signed", async () => {
  const signer = await key();
  for (const wrong of [{ size: -1 }, { size: 1.5 }, { size: 2 ** 53 }, { root: root.subarray(1) }])
    expect(() => signCheckpoint({ ...checkpoint, ...wrong }, signer)).toThrow(malformed);
});

test("a checkpoint of another log is refused although the key is right", async () => {
  const signer = await key();
  const note = signCheckpoint(checkpoint, signer);
  const asked = verifyCheckpoint(note, { origin: "log.example/other", jwk: signer.jwk });
  await expect(asked).rejects.toMatchObject({ code: "origin_mismatch" });
});

test("a head reads back as it was written, and has one spelling", () => {
  const head = headOf(checkpoint);
  expect(head).toBe(`1234:${toBase64url(root)}`);
  expect(headOf(parseHead(head))).toBe(head);
  for (const wrong of [
    "",
    "1234",
    `1234:${toBase64url(root)}=`,
    `01:${toBase64url(root)}`,
    `${head}:1`,
    `:${toBase64url(root)}`,
    "1:AA",
  ])
    expect(() => parseHead(wrong)).toThrow(
      expect.objectContaining({ code: "malformed_head" }) as ProvenanceError,
    );
});
