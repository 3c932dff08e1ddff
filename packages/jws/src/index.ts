export { fromBase64url, fromUtf8, toBase64url, utf8 } from "./base64url.ts";
export {
  type Compact,
  type HeaderRule,
  checkHeader,
  signCompact,
  splitCompact,
  verifyCompact,
} from "./compact.ts";
export { CodedError, type FormatCode, FormatError } from "./error.ts";
export { type Json, MAX_DEPTH, canonical, parseJson } from "./json.ts";
export {
  type PrivateJwk,
  type PublicJwk,
  type PublicKey,
  type Signer,
  generatePrivateJwk,
  generateSigner,
  publicJwk,
  publicKey,
  signerOf,
  thumbprint,
  verify,
} from "./key.ts";
export { randomBytes, sha256 } from "./platform.ts";
