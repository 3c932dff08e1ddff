import { type Signer, canonical, parseJson, signerOf, splitCompact, thumbprint } from "@behest/jws";
import {
  type Frontier,
  type Manifest,
  ProvenanceError,
  type TrustEntry,
  appendLeaf,
  checkChange,
  entryHash,
  headOf,
  readCertificate,
  readTrust,
  rootOf,
  signCheckpoint,
  signEntry,
  trustHash,
} from "@behest/provenance";
import { BehestError } from "../error.ts";
import { skipped, superseded } from "./failure.ts";
import type { Draft, Identity } from "./types.ts";

/** The end of the log and of this emitter. A value: what is not committed is simply not kept. */
export interface Tail {
  readonly size: number;
  readonly frontier: Frontier;
  /** `seq` of this process's next entry. */
  readonly seq: number;
}

export const EMPTY: Tail = { size: 0, frontier: [], seq: 0 };

export interface Leaf {
  readonly jws: string;
  /** Hashes of the subtrees that end with this entry: of the entry itself, then of each larger one it completes. */
  readonly nodes: readonly Uint8Array[];
}

/** Signs `draft` as the entry after `tail`. */
export function sign(tail: Tail, draft: Draft, signer: Signer): { readonly tail: Tail; readonly leaf: Leaf } {
  const jws = signEntry(draft, tail.seq, signer);
  const hash = entryHash(jws);
  const { frontier, nodes } = appendLeaf(tail.frontier, tail.size, hash);
  return {
    tail: { size: tail.size + 1, frontier, seq: tail.seq + 1 },
    leaf: { jws, nodes: [hash, ...nodes.map((node) => node.hash)] },
  };
}

/** The head of a tail, as text. */
export function headAt({ size, frontier }: Tail): string {
  return headOf({ size, root: rootOf(frontier) });
}

/** The checkpoint of a tail, and its head as text. */
export function seal(
  tail: Tail,
  origin: string,
  signer: Signer,
): { readonly checkpoint: string; readonly head: string } {
  const head = { size: tail.size, root: rootOf(tail.frontier) };
  return { checkpoint: signCheckpoint({ origin, ...head }, signer), head: headOf(head) };
}

/** `once` of the entry that carries a certificate or a manifest: begins with {@link TRUST}. */
export function trustKey(index: number): string {
  return `${TRUST}${index}`;
}

/** Begins the keys under which trust entries are found again. */
export const TRUST = "trust:";

/** An {@link Identity} that was checked. */
export interface Emitter {
  readonly identity: Identity;
  readonly manifest: Manifest;
  readonly signer: Signer;
}

/**
 * The manifest was pinned by whoever made the identity; here it must be whole, and certify this very key for
 * this log from index `index` on (`trust_invalid`): entries that nobody can verify are never written.
 */
export async function emitterOf(identity: Identity, index: number): Promise<Emitter> {
  try {
    const manifest = await readManifest(identity.manifest, identity.manifest);
    const certificate = await readCertificate(identity.certificate, manifest, index);
    if (manifest.origin !== identity.origin) throw new Error("the manifest is of another log");
    if (certificate.jwk.x !== identity.entryKey.x) throw new Error("the certificate is of another entry key");
    return { identity, manifest, signer: signerOf(identity.entryKey) };
  } catch (cause) {
    const message =
      "trust_invalid: the trust manifest does not certify this process's entry key. Certify it again.";
    throw new BehestError("trust_invalid", message, { cause });
  }
}

/** Reads a manifest under the owner who signed `pinned`. */
export function readManifest(jws: string, pinned: string): Promise<Manifest> {
  return readTrust(jws, thumbprint(splitCompact(pinned).header["jwk"] as never));
}

/**
 * Whether this emitter brings the next version of the manifest that is in force; false where it is that one. Throws
 * `trust_invalid` for any other. The one in force needs no reading: the next one names it by its hash.
 */
export function takesUp(
  { identity, manifest }: Pick<Emitter, "identity" | "manifest">,
  inForce: string,
): boolean {
  if (inForce === identity.manifest) return false;
  const { seq } = parseJson(splitCompact(inForce).payload) as { readonly seq: number };
  if (seq >= manifest.seq) throw superseded();
  if (manifest.seq !== seq + 1 || manifest.prev !== trustHash(inForce)) throw skipped();
  return true;
}

/** {@link takesUp} before it is asked for in a transaction; the next version has to be signed by whom the one in force names. */
export async function examineNext(emitter: Emitter, inForce: string): Promise<Emitter> {
  if (!takesUp(emitter, inForce)) return emitter;
  try {
    await checkChange(await readManifest(inForce, emitter.identity.manifest), emitter.manifest);
    return emitter;
  } catch (cause) {
    if (!(cause instanceof ProvenanceError)) throw cause;
    throw new BehestError("trust_invalid", `trust_invalid: ${cause.message}.`, { cause });
  }
}

/** The first entry of an emitter, with the manifest where the log does not have it in force. */
export function trustDraft(identity: Identity, now: number, withManifest: boolean): Draft {
  const { manifest, certificate } = identity;
  const payload: TrustEntry = {
    v: 1,
    type: "trust",
    at: new Date(now).toISOString(),
    certificate,
    ...(withManifest ? { manifest } : {}),
  };
  return canonical(payload);
}
