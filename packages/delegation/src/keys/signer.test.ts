import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign as signNow,
  type webcrypto,
} from "node:crypto";
import { inspect } from "node:util";
import { type PrivateJwk, fromBase64url, generatePrivateJwk, signerOf } from "@behest/jws";
import { expect, test } from "vitest";
import {
  DelegationError,
  type Signer,
  type WebKeyPair,
  deriveDelegation,
  generateHolder,
  holderOf,
  issueDelegation,
  proveAction,
  signerFromPkcs8,
  signerFromWebCrypto,
  verifyAction,
  verifyDelegation,
} from "../index.ts";

const ISS = "https://issuer.test";
const agent = await generateHolder();
const tools = { read: {} };
const claims = { issuer: ISS, holder: agent.jwk, principal: "p", task: "t", tools, expiresIn: "1h" } as const;
const pemOf = (jwk: PrivateJwk): string =>
  createPrivateKey({ key: jwk, format: "jwk" }).export({ type: "pkcs8", format: "pem" }).toString();
const webPair = (extractable: boolean): Promise<WebKeyPair> =>
  crypto.subtle.generateKey("Ed25519", extractable, ["sign", "verify"]) as Promise<WebKeyPair>;

/** Issues, hands on, proves and verifies, everything signed by `signer`. */
async function serves(signer: Signer): Promise<void> {
  const root = await issueDelegation({ ...claims, holder: signer.jwk }, signer);
  const holder = holderOf(signer);
  const chain = await deriveDelegation(root, { holder: signer.jwk, tools }, holder);
  const call = { tool: "read", args: {} };
  const proof = await proveAction({ delegation: chain, ...call }, holder);
  const issuers = [{ iss: ISS, jwk: signer.jwk }];
  expect(await verifyAction({ chain, proof, ...call }, { issuers })).toMatchObject({ hops: 2 });
}

/** Nothing that anybody prints or serialises shows any encoding of the private part. */
function keepsToItself(signer: Signer, d: string): void {
  const raw = Buffer.from(fromBase64url(d));
  const spellings = [
    d,
    raw.toString("base64"),
    raw.toString("hex"),
    raw.join(", "),
    inspect(raw).slice(8, 40),
  ];
  const holder = holderOf(signer);
  for (const shown of [signer, holder, { ...signer }, [holder]])
    for (const text of [
      JSON.stringify(shown),
      inspect(shown, { depth: Infinity, showHidden: true, maxArrayLength: null }),
      String(shown),
      Reflect.ownKeys(shown).join(),
      JSON.stringify(Object.getOwnPropertyDescriptors(shown)),
    ])
      for (const spelling of spellings) expect(text).not.toContain(spelling);
  expect(() => structuredClone(signer)).toThrow("could not be cloned");
}

test("a PKCS#8 PEM signs, whatever its line ends, and never shows its private part", async () => {
  const jwk = await generatePrivateJwk();
  const pem = pemOf(jwk);
  for (const text of [pem, pem.replaceAll("\n", "\r\n"), `\n${pem.trim()}`]) {
    const signer = await signerFromPkcs8(text);
    expect(signer.jwk).toEqual({ kty: "OKP", crv: "Ed25519", x: jwk.x });
    await serves(signer);
    keepsToItself(signer, jwk.d);
  }
});

test("a WebCrypto pair signs, its private part extractable or not", async () => {
  for (const extractable of [true, false]) {
    const pair = await webPair(extractable);
    const signer = await signerFromWebCrypto(pair);
    await serves(signer);
    if (extractable) {
      const { d } = await crypto.subtle.exportKey("jwk", pair.privateKey as webcrypto.CryptoKey);
      keepsToItself(signer, d!);
    }
  }
});

const encrypted = { format: "pem", type: "pkcs8", cipher: "aes-256-cbc", passphrase: "p" } as const;
const { privateKey: ed } = generateKeyPairSync("ed25519");
const good = ed.export({ type: "pkcs8", format: "pem" }).toString();
test.each<[string, unknown]>([
  ["nothing", ""],
  ["no text", undefined],
  ["a public key", createPublicKey(ed).export({ type: "spki", format: "pem" })],
  [
    "a public key under a private key's label",
    createPublicKey(ed).export({ type: "spki", format: "pem" }).toString().replaceAll("PUBLIC", "PRIVATE"),
  ],
  ["an encrypted key", ed.export(encrypted)],
  ["an X25519 key", generateKeyPairSync("x25519").privateKey.export({ type: "pkcs8", format: "pem" })],
  ["an Ed448 key", generateKeyPairSync("ed448").privateKey.export({ type: "pkcs8", format: "pem" })],
  [
    "a P-256 key",
    generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }),
  ],
  [
    "an RSA key",
    generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" }),
  ],
  [
    "a SEC1 key",
    generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "sec1", format: "pem" }),
  ],
  ["two keys", good + good],
  [
    "a key with a certificate behind it",
    `${good}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
  ],
  ["words before the key", `Bag Attributes\n${good}`],
  ["half a key", good.replace(/\n.*\n-----END/, "\nMC4CAQAwBQYDK2Vw\n-----END")],
  ["another alphabet", good.replace(/\n(.*)\n-----END/, "\n_$1\n-----END")],
  ["padding in the middle", good.replace("MC4C", "MC4C==")],
  ["a JWK", JSON.stringify(ed.export({ format: "jwk" }))],
])("no signer comes from %s", async (_, pem) => {
  const error: unknown = await signerFromPkcs8(pem as string).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(DelegationError);
  expect(error).toMatchObject({ code: "malformed_key" });
  const { d } = ed.export({ format: "jwk" });
  expect(inspect(error, { depth: Infinity })).not.toContain(d!);
  expect(inspect(error, { depth: Infinity })).not.toContain(good.split("\n")[1]);
});

test("no signer comes from a WebCrypto pair of another kind, or of two pairs", async () => {
  const [own, other] = [await webPair(false), await webPair(true)];
  const subtle = crypto.subtle;
  const hidden = await subtle.importKey("raw", Buffer.from(fromBase64url(agent.jwk.x)), "Ed25519", false, [
    "verify",
  ]);
  const pairs: unknown[] = [
    await subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]),
    await subtle.generateKey("X25519", true, ["deriveBits"]),
    await subtle.generateKey(
      {
        name: "RSASSA-PKCS1-v1_5",
        modulusLength: 2048,
        publicExponent: Uint8Array.of(1, 0, 1),
        hash: "SHA-256",
      },
      true,
      ["sign", "verify"],
    ),
    { privateKey: own.privateKey, publicKey: other.publicKey },
    { privateKey: own.publicKey, publicKey: own.privateKey },
    { privateKey: other.privateKey, publicKey: other.privateKey },
    { privateKey: own.publicKey, publicKey: own.publicKey },
    { privateKey: own.privateKey, publicKey: hidden },
    { privateKey: own.privateKey },
    { privateKey: agent, publicKey: agent.jwk },
    {},
  ];
  for (const pair of pairs)
    await expect(signerFromWebCrypto(pair as WebKeyPair)).rejects.toMatchObject({
      name: "DelegationError",
      code: "malformed_key",
    });
});

test("a remote signer may be slow, and answer out of turn", async () => {
  const inner = signerOf(await generatePrivateJwk());
  let calls = 0;
  const remote: Signer = {
    jwk: inner.jwk,
    async sign(bytes) {
      // The first answer comes last.
      await new Promise((resolve) => setTimeout(resolve, 40 / ++calls));
      return inner.sign(bytes);
    },
  };
  await Promise.all([serves(remote), serves(remote), serves(remote)]);
  expect(calls).toBe(9);
});

const key = await generatePrivateJwk();
const { sign } = signerOf(key);
const stranger = generateKeyPairSync("ed25519").privateKey;
let last: Uint8Array = new Uint8Array(64);
test.each<[string, Signer["sign"]]>([
  ["of another key", (bytes) => signNow(null, bytes, stranger)],
  ["of other bytes", (bytes) => sign(bytes.slice(1))],
  [
    "of the call before",
    async (bytes) => {
      const before = last;
      last = await sign(bytes);
      return before;
    },
  ],
  ["of nothing", () => new Uint8Array()],
  ["with a byte more", async (bytes) => Uint8Array.of(...(await sign(bytes)), 0)],
  [
    "with one bit changed",
    async (bytes) => {
      const signature = Uint8Array.from(await sign(bytes));
      signature[40]! ^= 1;
      return signature;
    },
  ],
  ["that is zero", () => new Uint8Array(64)],
])("a remote signer that answers with a signature %s issues and derives nothing", async (_, wrong) => {
  const mixed = holderOf({ jwk: { kty: key.kty, crv: key.crv, x: key.x }, sign: wrong });
  await expect(issueDelegation(claims, mixed)).rejects.toMatchObject({ code: "signature_invalid" });
  const root = await issueDelegation({ ...claims, holder: mixed.jwk }, agent);
  await expect(deriveDelegation(root, { holder: agent.jwk, tools }, mixed)).rejects.toMatchObject({
    code: "signature_invalid",
  });
});

test("a remote signer that fails says why, and nothing is issued", async () => {
  const down: Signer = { jwk: agent.jwk, sign: () => Promise.reject(new Error("KMS: access denied")) };
  await expect(issueDelegation(claims, down)).rejects.toThrow("KMS: access denied");
  const root = await issueDelegation(claims, agent);
  await expect(deriveDelegation(root, { holder: agent.jwk, tools }, holderOf(down))).rejects.toThrow("KMS");
  await expect(verifyDelegation(root, { issuers: [{ iss: ISS, jwk: agent.jwk }] })).resolves.toBeDefined();
});
