// What judges again what was recorded, policies and cuts: no Node, so that browsers have it too.
import { type Json, parseJson } from "@behest/jws";
import type { Cedar } from "./cedar.ts";
import type { SourceFile } from "./folder.ts";
import { type Policies, prepare } from "./prepare.ts";

export { admit } from "../revocation/admission.ts";
export { Cuts } from "../revocation/cuts.ts";
export { Lineage, keyOfCut } from "../revocation/keys.ts";
export { spanOf } from "../revocation/span.ts";
export type { Cedar } from "./cedar.ts";
export type { Facts } from "./facts.ts";
export type { PolicyDecision } from "./decision.ts";
export type { Policies } from "./prepare.ts";
export type { PolicyRequest } from "./request.ts";

interface Document {
  /** Each with its id. */
  readonly policies: readonly (readonly [id: string, text: string])[];
  readonly schema: string;
}

/**
 * The policies that a document holds, as `Policies.document` wrote it: with the same digest, so that they decide as they
 * did then. Undefined for a text that is none.
 */
export function policiesIn(document: string, cedar: Cedar): Policies | undefined {
  try {
    const { policies, schema } = readDocument(document);
    // Any line will do: both halves are one text again.
    const end = schema.indexOf("\n");
    const sources = {
      files: filesOf(policies),
      shipped: { file: "behest.cedarschema", text: schema.slice(0, end) },
      schema: { file: "own.cedarschema", text: schema.slice(end + 1) },
    };
    const prepared = prepare(cedar, sources).policies;
    return prepared?.document === document ? prepared : undefined;
  } catch {
    return undefined;
  }
}

function readDocument(document: string): Document {
  const value = parseJson(document) as { readonly [name: string]: Json };
  const { v, policies, schema } = value as unknown as Document & { readonly v: unknown };
  if (v !== 1 || !Array.isArray(policies) || typeof schema !== "string") throw new TypeError("no policies");
  return { policies, schema };
}

/** One file of each name, with its policies in their order. */
function filesOf(policies: Document["policies"]): SourceFile[] {
  const files = new Map<string, string>();
  for (const [id, text] of policies) {
    const file = id.slice(0, id.indexOf("#"));
    files.set(file, `${files.get(file) ?? ""}${text}\n`);
  }
  return [...files].map(([file, text]) => ({ file, text }));
}
