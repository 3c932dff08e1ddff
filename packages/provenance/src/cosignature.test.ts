import { createHash, generateKeyPairSync, sign as rawSign } from "node:crypto";
import { publicKey, sha256, utf8, verify } from "@behest/jws";
import { expect, test } from "vitest";
import { ORIGIN, flips, key } from "../test/deployment.ts";
import {
  addSignature,
  cosign,
  cosignaturesOf,
  parseAddCheckpoint,
  parseAnyCheckpoint,
  parseCheckpoint,
  parseVkey,
  printAddCheckpoint,
  printVkey,
  signCheckpoint,
  verifyCheckpoint,
} from "./index.ts";
import { parseNote } from "./note.ts";

const SPEC_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const NAME = "witness.example/w1";
const AT = 1_679_315_147;

test("the verifier key of the signed-note specification verifies its note, and prints as it was", async () => {
  const vkey = parseVkey(SPEC_VKEY);
  expect(vkey).toMatchObject({ name: "example.com/foo", type: "log" });
  expect(printVkey(vkey)).toBe(SPEC_VKEY);
  const note =
    "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
  const { text, signatures } = parseNote(note);
  expect(await verify(publicKey(vkey.jwk), utf8(text), signatures[0]!.signature)).toBe(true);
});

test("a verifier key that is changed anywhere, or of another kind, is refused", async () => {
  const malformed = expect.objectContaining({ code: "malformed_vkey" }) as Error;
  const { jwk } = await key();
  const vkey = printVkey({ name: NAME, jwk, type: "witness" });
  expect(parseVkey(vkey)).toEqual({ name: NAME, jwk, type: "witness" });
  for (const changed of [
    ...flips(vkey),
    `${vkey} `,
    vkey.toUpperCase(),
    "",
    "a+b",
    `${vkey}=`,
    "a+00000000+AAAA",
  ])
    expect(() => parseVkey(changed)).toThrow(malformed);
  // ML-DSA-44 (type 6) is not verified here.
  const [name, , data] = vkey.split("+") as [string, string, string];
  const bytes = Buffer.from(data, "base64");
  bytes[0] = 6;
  const id = createHash("sha256").update(`${name}\n`).update(bytes).digest("hex").slice(0, 8);
  expect(() => parseVkey(`${name}+${id}+${bytes.toString("base64")}`)).toThrow(malformed);
});

test("a cosignature that is made by the letter of the specification, byte by byte, verifies; and ours are the same bytes", async () => {
  const { privateKey, publicKey: shown } = generateKeyPairSync("ed25519");
  const x = (shown.export({ format: "jwk" }) as { x: string }).x;
  const jwk = { kty: "OKP", crv: "Ed25519", x } as const;
  const text =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\nan extension\n";
  const signature = rawSign(null, Buffer.from(`cosignature/v1\ntime ${AT}\n${text}`), privateKey);
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(AT));
  const id = createHash("sha256")
    .update(Buffer.concat([Buffer.from(`${NAME}\n\x04`), Buffer.from(x, "base64url")]))
    .digest()
    .subarray(0, 4);
  const line = `— ${NAME} ${Buffer.concat([id, time, signature]).toString("base64")}\n`;
  const unsigned = `${text}\n— other.example AAAAAAAA\n`;
  const parsed = parseAnyCheckpoint(unsigned + line);
  expect(await cosignaturesOf(parsed, [{ name: NAME, jwk }])).toEqual([{ name: NAME, jwk, at: AT }]);
  const signer = { jwk, sign: (bytes: Uint8Array) => rawSign(null, bytes, privateKey) };
  expect(await cosign(unsigned, NAME, AT, signer)).toBe(line);
});

test("whatever of a cosigned checkpoint is changed, its cosignature no longer counts", async () => {
  const [log, signer] = [await key(), await key()];
  const note = signCheckpoint({ origin: ORIGIN, size: 7, root: sha256("root") }, log);
  const cosigned = note + (await cosign(note, NAME, AT, signer));
  const witness = { name: NAME, jwk: signer.jwk };
  const counts = async (text: string): Promise<number> => {
    try {
      return (await cosignaturesOf(parseCheckpoint(text), [witness])).length;
    } catch {
      return 0;
    }
  };
  expect(await counts(cosigned)).toBe(1);
  const ours = note.split("\n\n")[1]!;
  // The log's own line is not what a witness signs.
  for (const flipped of flips(cosigned.replace(ours, ""))) expect(await counts(flipped)).toBe(0);
});

test("lines of unknown keys are ignored; a line of a known one that does not verify refuses them all", async () => {
  const [log, signer, other] = [await key(), await key(), await key()];
  const note = signCheckpoint({ origin: ORIGIN, size: 7, root: sha256("root") }, log);
  const older = signCheckpoint({ origin: ORIGIN, size: 6, root: sha256("root") }, log);
  const [good, later, alien, stale] = [
    await cosign(note, NAME, AT, signer),
    await cosign(note, NAME, AT + 5, signer),
    await cosign(note, NAME, AT, other),
    await cosign(older, NAME, AT, signer),
  ];
  const witness = { name: NAME, jwk: signer.jwk };
  const read = (...lines: string[]) => cosignaturesOf(parseCheckpoint(note + lines.join("")), [witness]);
  expect(await read(alien, later, good)).toEqual([{ ...witness, at: AT + 5 }]);
  expect(await read(alien)).toEqual([]);
  const refused = { code: "signature_invalid" };
  await expect(read(good, stale)).rejects.toMatchObject(refused);
  // The same key's plain signature under the witness's name has another id, so it is another key's.
  expect(await cosignaturesOf(parseCheckpoint(await addSignature(note, NAME, signer)), [witness])).toEqual(
    [],
  );
  for (const at of [0, -1, 1.5]) await expect(cosign(note, NAME, at, signer)).rejects.toThrow();
});

test("a key that answers later signs a checkpoint beside the one in memory", async () => {
  const [entryKey, enforcer] = [await key(), await key()];
  const kms = { jwk: enforcer.jwk, sign: async (bytes: Uint8Array) => enforcer.sign(bytes) };
  const note = signCheckpoint({ origin: ORIGIN, size: 7, root: sha256("root") }, entryKey);
  const both = await addSignature(note, ORIGIN, kms);
  for (const { jwk } of [entryKey, enforcer])
    expect(await verifyCheckpoint(both, { origin: ORIGIN, jwk })).toMatchObject({ size: 7 });
  await expect(addSignature(note, "a name", kms)).rejects.toMatchObject({ code: "malformed_checkpoint" });
});

test("checkpoints of other logs may have extension lines and blanks in their origin; ours may not", () => {
  const note = (text: string): string => `${text}\n— k AAAAAAAA\n`;
  const root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
  for (const text of [`go.sum database tree\n1\n${root}\n`, `a\n1\n${root}\none\ntwo\n`]) {
    expect(parseAnyCheckpoint(note(text))).toMatchObject({ size: 1, text });
    expect(() => parseCheckpoint(note(text))).toThrow();
  }
  for (const text of [
    `\n1\n${root}\n`,
    `a\n01\n${root}\n`,
    `a\n1\nAAAA\n`,
    `a\n1\n${root}\n\nb\n`,
    `a\tb\n1\n${root}\n`,
  ])
    expect(() => parseAnyCheckpoint(note(text))).toThrow();
});

test("a request to a witness is read as strictly as it is printed", () => {
  const proof = [sha256("a"), sha256("b")];
  const asked = { old: 12, proof, checkpoint: "a\n13\nroot\n\n— k AAAAAAAA\n" };
  const body = printAddCheckpoint(asked);
  expect(body.split("\n").slice(0, 1)).toEqual(["old 12"]);
  const read = parseAddCheckpoint(body);
  expect({ ...read, proof: read.proof.map((hash) => Buffer.from(hash)) }).toEqual({
    ...asked,
    proof: proof.map((hash) => Buffer.from(hash)),
  });
  expect(parseAddCheckpoint(printAddCheckpoint({ old: 0, proof: [], checkpoint: "c" }))).toEqual({
    old: 0,
    proof: [],
    checkpoint: "c",
  });
  const hash = Buffer.from(proof[0]!).toString("base64");
  const many = `old 1\n${`${hash}\n`.repeat(64)}\nc`;
  for (const wrong of [
    "",
    "old 1",
    "old 1\n",
    "old 01\n\nc",
    "old -1\n\nc",
    "old 9007199254740993\n\nc",
    "OLD 1\n\nc",
    " old 1\n\nc",
    "old 1 \n\nc",
    `old 1\n${hash.slice(0, -1)}\n\nc`,
    `old 1\n${hash.replace("=", "\n")}\n\nc`,
    `old 1\n${Buffer.alloc(33).toString("base64")}\n\nc`,
    `old 1\r\n${hash}\n\nc`,
    many,
  ])
    expect(() => parseAddCheckpoint(wrong)).toThrow(
      expect.objectContaining({ code: "malformed_request" }) as Error,
    );
  expect(parseAddCheckpoint(many.replace(`${hash}\n`, "")).proof).toHaveLength(63);
});
