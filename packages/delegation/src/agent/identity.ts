import type { Json } from "@behest/jws";
import { malformed, onlyMembers, optionalText } from "../request.ts";
import { isObject, isText } from "../token/token.ts";

/** Which agent is meant; at least one member, each compared as an exact string. */
export interface AgentIdentity {
  /** Who runs it: a name under which deployers' keys are known. */
  readonly deployer?: string;
  /** As the model's answers name it. */
  readonly model?: string;
  /** Of the agent's own code and prompts. */
  readonly version?: string;
  /** One running copy. */
  readonly instance?: string;
}

export type IdentityMember = keyof AgentIdentity;

/** A member that is bound, and is another at run time or not stated at all. */
export interface IdentityMismatch {
  readonly member: IdentityMember;
  readonly found: "other" | "absent";
}

const MEMBERS: readonly IdentityMember[] = ["deployer", "model", "version", "instance"];

/** What differs from what a delegation binds, in a fixed order; empty when all of it fits. Values stay out of it. */
export function compareIdentity(
  bound: AgentIdentity,
  actual: AgentIdentity | undefined,
): readonly IdentityMismatch[] {
  return MEMBERS.flatMap((member) => {
    const [wanted, stated] = [bound[member], actual?.[member]];
    if (wanted === undefined || wanted === stated) return [];
    return [{ member, found: stated === undefined ? ("absent" as const) : ("other" as const) }];
  });
}

/** The claim `agent_identity`: closed, of non-empty strings, at least one; `undefined` when it is not that. */
export function parseIdentity(value: Json | undefined): AgentIdentity | undefined {
  if (!isObject(value)) return undefined;
  const entries = Object.entries(value);
  const fits = ([name, text]: [string, Json]): boolean =>
    (MEMBERS as readonly string[]).includes(name) && isText(text);
  return entries.length > 0 && entries.every(fits) ? (value as AgentIdentity) : undefined;
}

/** What a caller wrote → a copy of its own. Throws `malformed_request`. */
export function readIdentity(identity: AgentIdentity): { readonly [member: string]: string } {
  if (typeof identity !== "object" || identity === null) malformed("identity", "expected an object");
  onlyMembers(identity, MEMBERS);
  const stated = MEMBERS.flatMap((member) => {
    const text = optionalText(identity[member], `identity.${member}`);
    return text === undefined ? [] : [[member, text] as const];
  });
  if (stated.length === 0) malformed("identity", "expected at least one member");
  return Object.fromEntries(stated);
}
