import { createPrivateKey } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { type PrivateJwk, type Signer, parseJson, pkcs8FromPem, signerOf } from "@behest/jws";
import { DelegationError } from "../error.ts";

/** Bytes; a key takes 150. */
const MAX_FILE = 16_384;

/**
 * A signer over a key file that only its owner can read (mode 0600 or less), who is this process's account or root:
 * PKCS#8 PEM, or a private JWK as `behest keys new` writes it. A link is followed, and what it leads to is judged. Reads at once; the key stays in
 * this process. Throws `key_missing`, `key_readable`, `malformed_key`.
 */
export function signerFromFile(path: string): Signer {
  return signerIn(readPrivate(path), path);
}

/**
 * A signer over the key in an environment variable: PKCS#8 PEM or a private JWK, as it stands or in base64. The
 * variable is deleted, well-formed or not, so that tools and child processes do not inherit it. Those that run
 * already keep it, and on Linux `/proc/<pid>/environ` goes on showing it to the same account: prefer a file.
 * Throws `key_missing`, `malformed_key`.
 */
export function signerFromEnvironment(name: string): Signer {
  const text = process.env[name];
  delete process.env[name];
  if (text === undefined || text === "")
    throw new DelegationError("key_missing", `${name}: the environment has no such variable`);
  return signerIn(/^\s*[-{]/.test(text) ? text : Buffer.from(text, "base64").toString(), name);
}

function readPrivate(path: string): string {
  try {
    // Opened once and judged as opened: nobody can exchange it in between. A pipe that nobody writes to does not block.
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) throw new DelegationError("malformed_key", `${path}: not a plain file`);
      if (process.platform !== "win32" && stat.mode & (constants.S_IRWXG | constants.S_IRWXO))
        throw new DelegationError(
          "key_readable",
          `${path}: others can read or change it. Run: chmod 600 ${path}`,
        );
      // Absent where files have no such owner. Whoever owns a file can change it.
      const account = process.geteuid?.();
      if (account !== undefined && stat.uid !== account && stat.uid !== 0)
        throw new DelegationError(
          "key_readable",
          `${path}: it belongs to another account. Make one that this process's account owns.`,
        );
      if (stat.size > MAX_FILE) throw new DelegationError("malformed_key", `${path}: too large for a key`);
      return readFileSync(fd, "utf8");
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    if (DelegationError.isInstance(cause)) throw cause;
    throw new DelegationError("key_missing", `${path}: there is no such file, or it cannot be read`, {
      cause,
    });
  }
}

function signerIn(text: string, place: string): Signer {
  try {
    return signerOf(text.trimStart().startsWith("{") ? (parseJson(text) as PrivateJwk) : pkcs8(text));
  } catch {
    // No cause: what failed to parse may be quoted in it.
    throw new DelegationError("malformed_key", `${place}: no Ed25519 private key in PKCS#8 PEM or as a JWK`);
  }
}

/** Synchronous, unlike its WebCrypto twin in @behest/jws. */
function pkcs8(pem: string): PrivateJwk {
  const key = createPrivateKey({ key: Buffer.from(pkcs8FromPem(pem)), format: "der", type: "pkcs8" });
  return key.export({ format: "jwk" }) as PrivateJwk;
}
