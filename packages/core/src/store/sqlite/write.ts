import type { Manifest } from "@behest/provenance";
import type { BehestError } from "../../error.ts";
import type { Append, Begin, Erase, Finish, Identity, Principal, Prune } from "../types.ts";

/** Another entry key from now on. Whoever asks has verified it. */
export interface Rotation {
  readonly op: "rotate";
  readonly identity: Identity;
  readonly manifest: Manifest;
}

/** What a transaction of the writer is made of. */
export type Write =
  | { readonly op: "append"; readonly request: Append }
  | { readonly op: "begin"; readonly request: Begin }
  | { readonly op: "finish"; readonly request: Finish }
  | { readonly op: "principal"; readonly issuer: string; readonly subject: string }
  | { readonly op: "register"; readonly who: Principal }
  | { readonly op: "erase"; readonly request: Erase }
  | { readonly op: "prune"; readonly request: Prune }
  | { readonly op: "forget"; readonly run: string }
  | { readonly op: "spend"; readonly id: string; readonly until: number }
  | { readonly op: "document"; readonly digest: string; readonly text: string }
  | { readonly op: "cosigned"; readonly size: number; readonly note: string }
  /** Writes what waits for something else to be written. */
  | { readonly op: "flush" };

/** What the calling thread asks of this one. */
export type Request = Write | Rotation;

export type Answer = { readonly value: unknown } | { readonly error: BehestError };
