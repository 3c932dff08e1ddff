export { fromBase64url, fromUtf8, toBase64url, utf8 } from "./base64url.ts";
export { plainBody, readBounded } from "./bounded.ts";
export {
  type Compact,
  type HeaderRule,
  checkHeader,
  headerSegment,
  signCompact,
  splitCompact,
  verifyCompact,
} from "./compact.ts";
export { CodedError, type FormatCode, FormatError } from "./error.ts";
export { type Json, MAX_DEPTH, canonical, canonicalPresent, parseJson } from "./json.ts";
export {
  type PrivateJwk,
  type PublicJwk,
  type PublicKey,
  type Signer,
  generatePrivateJwk,
  generateSigner,
  isOwnSigner,
  publicJwk,
  publicKey,
  signerOf,
  thumbprint,
  verify,
} from "./key.ts";
export { pkcs8FromPem, signerFromPkcs8 } from "./pkcs8.ts";
export { randomBytes, sha256, sha256Text } from "./platform.ts";
export { type WebKey, type WebKeyPair, signerFromWebCrypto } from "./web-key.ts";
