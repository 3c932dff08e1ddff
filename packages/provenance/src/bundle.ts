import { type Json, parseJson } from "@behest/jws";
import type { Shown } from "./log/verify.ts";
import { ProvenanceError, refusing } from "./error.ts";
import { type Check, bytes32, closed, count, isObject, list, text, where, word } from "./shape.ts";

/** What opens a commitment. */
export interface Opened {
  readonly salt: string;
  readonly text: string;
}

/**
 * Everything that a stranger needs to verify a set of records offline, but the owner's thumbprint, which must come from
 * the owner. JSON. What a bundle does not show is neither proven nor disproved by it.
 */
export interface EvidenceBundle {
  readonly type: "behest-evidence";
  readonly v: 1;
  /** The signed note over the log. */
  readonly checkpoint: string;
  /** The newest checkpoint of this log that witnesses cosigned, with their lines. */
  readonly cosigned?: string;
  /** The log from its beginning to the checkpoint: entries, and the subtrees of those that are not shown. */
  readonly log: readonly Shown[];
  /** Compact JWS of each delegation, by the hash that entries name it by. */
  readonly tokens: { readonly [leaf: string]: string };
  /** What opens commitments of the entries. */
  readonly content: { readonly [commitment: string]: Opened };
  /** Texts of sets of policies, by their SHA-256. */
  readonly documents: { readonly [digest: string]: string };
  /** Signed cuts by their SHA-256. */
  readonly cuts: { readonly [digest: string]: string };
  /** Whom a pseudonym stands for, as far as it is known. */
  readonly principals: { readonly [pseudonym: string]: Principal };
}

interface Principal {
  readonly issuer: string;
  readonly subject: string;
}

/** Characters of one bundle, at most. */
export const MAX_BUNDLE: number = 1 << 28;

const shape = closed<EvidenceBundle>({
  type: word("behest-evidence"),
  v: word(1),
  checkpoint: text,
  "cosigned?": text,
  log: list((value) => (typeof value === "string" ? undefined : hidden(value))),
  tokens: byHash(text),
  content: byHash(closed<Opened>({ salt: text, text: where((value) => typeof value === "string") })),
  documents: byHash(text),
  cuts: byHash(text),
  principals: members(closed<Principal>({ issuer: text, subject: text })),
});

const hidden: Check = closed<Exclude<Shown, string>>({ level: count, hash: bytes32 });

function members(check: Check): Check {
  return (value) => (isObject(value) ? list(check)(Object.values(value)) : "");
}

function byHash(check: Check): Check {
  const hashes = list(bytes32);
  return (value) =>
    isObject(value) && hashes(Object.keys(value)) === undefined ? members(check)(value) : "";
}

/** Reads a bundle's text; what it says is not verified. Throws `malformed_bundle`. */
export function readBundle(json: string): EvidenceBundle {
  if (json.length > MAX_BUNDLE) throw new ProvenanceError("malformed_bundle", "a bundle is too long");
  const value: Json = refusing(
    "malformed_bundle",
    "evidence is JSON: this is something else, or was cut short",
    () => parseJson(json),
  );
  const path = shape(value);
  if (path !== undefined)
    throw new ProvenanceError(
      "malformed_bundle",
      path === "" || path === "type"
        ? "this is no evidence, as behest evidence export writes it"
        : `the evidence's "${path.split(".")[0]}" is malformed`,
    );
  return value as unknown as EvidenceBundle;
}
