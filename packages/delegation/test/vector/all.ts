import { actionCalls } from "./actions.ts";
import { calls } from "./calls.ts";
import { chains } from "./chains.ts";
import { childParts } from "./child-parts.ts";
import { childSteps } from "./child-steps.ts";
import { claims } from "./claims.ts";
import { compositeRules } from "./composite-rules.ts";
import { derived } from "./deriving.ts";
import { emailRules } from "./email-rules.ts";
import { grants } from "./grants.ts";
import { keys } from "./keys.ts";
import { listRules } from "./list-rules.ts";
import { narrowed } from "./narrowing.ts";
import { parsing } from "./parsing.ts";
import { pathRules } from "./path-rules.ts";
import { proofs } from "./proofs.ts";
import { restrictionForms } from "./restriction-forms.ts";
import { restrictions } from "./restrictions.ts";
import { rootSteps } from "./root-steps.ts";
import { roots } from "./roots.ts";
import { scalarRules } from "./scalar-rules.ts";
import { textRules } from "./text-rules.ts";
import { urlRules } from "./url-rules.ts";
import { type Vector, printed } from "./vector.ts";

const MAKERS: readonly (() => readonly Vector[])[] = [
  roots,
  rootSteps,
  chains,
  childParts,
  childSteps,
  claims,
  parsing,
  keys,
  scalarRules,
  listRules,
  compositeRules,
  calls,
  grants,
  textRules,
  emailRules,
  pathRules,
  urlRules,
  restrictionForms,
  restrictions,
  actionCalls,
  proofs,
  derived,
  narrowed,
];

/** Every vector: the file's name → its text. */
export function vectors(): ReadonlyMap<string, string> {
  const all = MAKERS.flatMap((make) => make());
  const files = new Map(all.map((vector) => [`${vector.id}.json`, printed(vector)]));
  if (files.size !== all.length) throw new Error("two vectors have one id");
  return files;
}
