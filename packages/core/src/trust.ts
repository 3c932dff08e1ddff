import { readFile } from "node:fs/promises";
import { fromUtf8, plainBody } from "@behest/jws";
import { MAX_ENTRY, type Manifest, ProvenanceError, readTrust } from "@behest/provenance";
import { BehestError } from "./error.ts";

/** Which deployment this is: its owner, pinned, and the manifest that names every key. */
export interface Trust {
  /** RFC 7638 thumbprint of the owner's key. */
  readonly owner: string;
  /** `trust.jws`: the text itself, or where it is. */
  readonly manifest: string | URL;
}

/** The manifest, verified under its pinned owner. Throws `trust_invalid`. */
export async function trusted({
  owner,
  manifest: source,
}: Trust): Promise<{ jws: string; manifest: Manifest }> {
  try {
    const jws = (source instanceof URL ? await text(source) : source).trim();
    return { jws, manifest: await readTrust(jws, owner) };
  } catch (cause) {
    const why = cause instanceof ProvenanceError ? cause.message : "the trust manifest could not be read";
    throw new BehestError("trust_invalid", `trust_invalid: ${why}.`, { cause });
  }
}

async function text(url: URL): Promise<string> {
  if (url.protocol === "file:") return readFile(url, "utf8");
  if (url.protocol !== "https:") throw new TypeError("a trust manifest comes from a file or over https");
  const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(10_000) });
  return fromUtf8(await plainBody(response, MAX_ENTRY));
}
