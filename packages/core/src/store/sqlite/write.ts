import type { BehestError } from "../../error.ts";
import type { Append, Begin, Erase, Finish, Principal } from "../types.ts";

/** What the calling thread asks of the writer. */
export type Write =
  | { readonly op: "append"; readonly request: Append }
  | { readonly op: "begin"; readonly request: Begin }
  | { readonly op: "finish"; readonly request: Finish }
  | { readonly op: "principal"; readonly issuer: string; readonly subject: string }
  | { readonly op: "register"; readonly who: Principal }
  | { readonly op: "erase"; readonly request: Erase }
  | { readonly op: "forget"; readonly run: string }
  | { readonly op: "spend"; readonly id: string; readonly until: number }
  | { readonly op: "document"; readonly digest: string; readonly text: string }
  | { readonly op: "cosigned"; readonly size: number; readonly note: string }
  /** Writes what waits for something else to be written. */
  | { readonly op: "flush" };

export type Answer = { readonly value: unknown } | { readonly error: BehestError };
