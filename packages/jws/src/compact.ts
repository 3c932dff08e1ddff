import { fromBase64url, fromUtf8, toBase64url, utf8 } from "./base64url.ts";
import { FormatError } from "./error.ts";
import { type Json, canonical, parseJson } from "./json.ts";
import { type PublicKey, type Signer, verify } from "./key.ts";

/**
 * A compact JWS (RFC 7515, 7.1) taken apart, nothing of it checked yet but its shape:
 * `base64url(header) "." base64url(payload) "." base64url(signature)`.
 */
export interface Compact {
  readonly header: { readonly [name: string]: Json };
  /** Payload text; parse it only after {@link verifyCompact}. */
  readonly payload: string;
  readonly signature: Uint8Array;
  /** ASCII `header.payload`, exactly as received. */
  readonly input: string;
}

export interface HeaderRule {
  /** Exact `typ`. */
  readonly typ: string;
  /** Header names the caller enforces; any other name in `crit` is refused. */
  readonly crit?: readonly string[];
}

/** Names that RFC 7515 and 7518 define: `crit` must not list them. */
const STANDARD = new Set([
  "alg",
  "jku",
  "jwk",
  "kid",
  "x5u",
  "x5c",
  "x5t",
  "x5t#S256",
  "typ",
  "cty",
  "crit",
  "enc",
  "zip",
]);

export function splitCompact(token: string): Compact {
  const first = token.indexOf(".");
  const second = token.indexOf(".", first + 1);
  if (first < 1 || second < 0 || token.includes(".", second + 1))
    throw new FormatError("malformed_jws", "a compact JWS has three segments");
  const header = parseJson(fromUtf8(fromBase64url(token.slice(0, first))));
  if (typeof header !== "object" || header === null || Array.isArray(header))
    throw new FormatError("malformed_jws", "a JWS header is an object");
  return {
    header: header as { [name: string]: Json },
    payload: fromUtf8(fromBase64url(token.slice(first + 1, second))),
    signature: fromBase64url(token.slice(second + 1)),
    input: token.slice(0, second),
  };
}

/**
 * `alg` exactly `Ed25519` (RFC 9864; never `EdDSA` or `none`), `typ` exact, every name in `crit`
 * understood and present. Everything else is ignored, `jwk`, `jku` and `x5c` included: a key never
 * comes from a header. Throws `header_refused`.
 */
export function checkHeader(header: Compact["header"], rule: HeaderRule): void {
  const refuse = (what: string): never => {
    throw new FormatError("header_refused", what);
  };
  if (header["alg"] !== "Ed25519") refuse('alg is not "Ed25519"');
  if (header["typ"] !== rule.typ) refuse(`typ is not "${rule.typ}"`);
  if (!Object.hasOwn(header, "crit")) return;
  const crit = header["crit"];
  if (!Array.isArray(crit) || crit.length === 0 || new Set(crit).size !== crit.length)
    return refuse("crit is malformed");
  for (const name of crit)
    if (
      typeof name !== "string" ||
      STANDARD.has(name) ||
      !rule.crit?.includes(name) ||
      !Object.hasOwn(header, name)
    )
      refuse("crit names what is not understood");
}

/** Header and signature hold, under a key that the caller got elsewhere; else `header_refused`, `signature_invalid`. */
export async function verifyCompact(token: string, key: PublicKey, rule: HeaderRule): Promise<Compact> {
  const parts = splitCompact(token);
  checkHeader(parts.header, rule);
  if (!(await verify(key, utf8(parts.input), parts.signature)))
    throw new FormatError("signature_invalid", `a signature does not verify (${rule.typ})`);
  return parts;
}

/** A protected header's segment, as {@link signCompact} takes it: what signs often makes it once. Needs no `alg`. */
export function headerSegment(header: { readonly typ: string; readonly [name: string]: Json }): string {
  return toBase64url(canonical({ ...header, alg: "Ed25519" }));
}

/** Signs `payload` (canonical JSON of it, or the text as given). `header`: its members but `alg`, or its segment. */
export function signCompact(
  header: string | Parameters<typeof headerSegment>[0],
  payload: string | { readonly [name: string]: Json },
  signer: Signer,
): string | Promise<string> {
  const head = typeof header === "string" ? header : headerSegment(header);
  const input = `${head}.${toBase64url(typeof payload === "string" ? payload : canonical(payload))}`;
  const signature = signer.sign(utf8(input));
  return signature instanceof Promise ? signature.then((s) => join(input, s)) : join(input, signature);
}

function join(input: string, signature: Uint8Array): string {
  return `${input}.${toBase64url(signature)}`;
}
