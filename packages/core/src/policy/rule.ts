import type { PolicyJson } from "@cedar-policy/cedar-wasm/nodejs";
import { isWorkspace } from "@behest/delegation";
import type { Cedar } from "./cedar.ts";
import { type PolicyFault, cedarFault, faultAt } from "./fault.ts";
import { type PolicyLimit, readLimits } from "./limit.ts";
import { readsOf } from "./reads.ts";
import type { Statement } from "./statement.ts";
import { lineAndColumn } from "./statement.ts";

/** Whose approval turns a denial into an ask: so many persons of a group. */
export interface PolicyAsk {
  readonly group: string;
  readonly need: number;
}

/** One policy that was read. */
export interface PolicyRule {
  /** `file.cedar#` and its `@id`, or its place in the file from 1. */
  readonly id: string;
  readonly file: string;
  readonly line: number;
  readonly effect: "permit" | "forbid";
  readonly ask?: PolicyAsk;
  readonly reason?: string;
  /** What actions that it permits may take together. */
  readonly limits?: readonly PolicyLimit[];
}

/** With what Cedar is given of it. */
export interface ReadRule extends PolicyRule {
  readonly text: string;
  /** What is evaluated. As text: JSON would round numbers that only a Long holds. */
  readonly held: string;
  readonly json: PolicyJson;
}

/**
 * Every tool is in `Action::"tool"`. Where a policy's head says so, it is evaluated without, and Cedar need not be
 * shown at each decision what the tool is in.
 */
function held(cedar: Cedar, text: string, json: PolicyJson): Pick<ReadRule, "held" | "json"> {
  const shorter = text.replace(/\baction\s+in\s+Action::"tool"/, "action");
  const answer = shorter === text ? undefined : cedar.policyToJson(shorter);
  return answer?.type === "success" && json.action.op === "in" && answer.json.action.op === "All"
    ? { held: shorter, json: answer.json }
    : { held: text, json };
}

const ANNOTATIONS: ReadonlySet<string> = new Set(["id", "ask", "reason", "limit"]);
const ID = /^[A-Za-z0-9_.:/-]{1,64}$/;
const GROUP = /^group:([A-Za-z0-9_.:/-]{1,64})(?:,([1-9][0-9]?))?$/;
/** Printable, on one line. */
const REASON = /^[^\p{C}\p{Zl}\p{Zp}]{1,300}$/u;

export function ruleOf(
  cedar: Cedar,
  statement: Statement,
  source: string,
  ordinal: number,
): ReadRule | PolicyFault {
  const { file, text, from } = statement;
  const answer = cedar.policyToJson(text);
  if (answer.type === "failure") return cedarFault(statement, source, answer.errors[0]!);
  const { effect, annotations = {} } = answer.json;
  const refuse = (annotation: string, reason: string): PolicyFault =>
    faultAt(file, source, from + Math.max(0, text.indexOf(`@${annotation}`)), reason);
  const unknown = readsOf([answer.json]).literals.find(
    ({ type, id }) => type !== "Workspace" || !isWorkspace(id),
  );
  if (unknown) {
    const written = `${unknown.type}::"${unknown.id}"`;
    const at = from + Math.max(0, text.indexOf(written));
    return faultAt(file, source, at, `what ${written} is in cannot be told: it is no workspace`);
  }
  const stranger = Object.keys(annotations).find((name) => !ANNOTATIONS.has(name));
  // Misspelt, it would limit nothing.
  if (stranger !== undefined)
    return refuse(
      stranger,
      `there is no annotation @${stranger}; there are @${[...ANNOTATIONS].join(", @")}`,
    );
  const {
    id = String(ordinal),
    ask,
    reason,
    limit,
  } = annotations as { readonly [name: string]: string | null };
  if (id === null || !ID.test(id))
    return refuse("id", "@id is one to 64 letters, digits and the signs _ . : / -");
  if (reason !== undefined && (reason === null || !REASON.test(reason)))
    return refuse("reason", "@reason is one line of at most 300 printable characters");
  const group = ask === undefined ? undefined : GROUP.exec((ask ?? "").replaceAll(/\s/g, ""));
  if (ask !== undefined && !group)
    return refuse(
      "ask",
      '@ask names a group and how many persons of it, at most 99: @ask("group:finance", "2")',
    );
  if (group && effect === "permit")
    return refuse("ask", "@ask stands on a forbid: what is permitted asks nobody");
  if (limit !== undefined && effect === "forbid")
    return refuse("limit", "@limit stands on a permit: what is forbidden takes nothing");
  if (limit !== undefined && annotations["id"] === undefined)
    return refuse("limit", "a policy with @limit has an @id: what was taken is counted under it");
  const limits = limit === undefined ? undefined : readLimits(`${file}#${id}`, limit ?? "");
  if (limits && "reason" in limits)
    return refuse("limit", `${limits.reason}: @limit("20 calls, 500 EUR per subtree; 50 EUR per action")`);
  return {
    id: `${file}#${id}`,
    file,
    line: lineAndColumn(source, from).line,
    effect,
    ...(group && { ask: { group: group[1]!, need: Number(group[2] ?? 1) } }),
    ...(typeof reason === "string" && { reason }),
    ...(limits && { limits }),
    text,
    ...held(cedar, text, answer.json),
  };
}
