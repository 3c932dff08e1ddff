import { type Head, parseHead } from "@behest/provenance";
import { findLocal } from "@behest/core";
import { usage } from "./error.ts";

/** `--owner`, as it was typed. Throws `usage`. */
export function ownerOf(text: string): string {
  if (/^[A-Za-z0-9_-]{43}$/.test(text)) return text;
  throw usage("--owner: write the 43 characters of a thumbprint, as init printed them.");
}

/** The owner that is pinned: the one that was typed, or this folder's. Throws `usage`. */
export function pinned(owner: string | undefined): string {
  const found = owner ?? findLocal()?.owner;
  if (found === undefined)
    throw usage("--owner: pin the owner. Get the thumbprint from the owner, not with the log.");
  return found;
}

/** `--head`, as it was typed. Throws `usage`. */
export function headOf(text: string): Head {
  try {
    return parseHead(text);
  } catch {
    throw usage("--head: write size:root, as a span, a store or verify printed it.");
  }
}
