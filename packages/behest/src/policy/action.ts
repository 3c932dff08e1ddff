import type { PolicyRequest } from "@behest/core/policy";
import { type Json, parseJson } from "@behest/jws";
import { CodedError } from "@behest/jws";
import { CliError } from "../error.ts";

/** An action as a person writes it down: what is left out is the strictest, or does not matter. */
export interface WrittenAction {
  readonly tool: string;
  readonly args?: Json;
  readonly effect?: PolicyRequest["effect"];
  readonly boundary?: PolicyRequest["boundary"];
  readonly declared?: boolean;
  readonly allowlisted?: boolean;
  readonly resource?: string;
  readonly workspace?: string;
  readonly amount?: { readonly value: string | number; readonly currency: string };
  readonly task?: string;
  /** The delegation's workspace. */
  readonly within?: string;
  readonly agent?: string;
  readonly principal?: string;
  readonly issuer?: string;
  readonly tenant?: string;
  readonly consent?: PolicyRequest["agent"]["consent"];
  readonly mismatch?: boolean;
  readonly depth?: number;
  readonly approvals?: readonly string[];
  /** RFC 3339. */
  readonly at?: string;
}

export function requestOf(action: WrittenAction): PolicyRequest {
  const { tool, args = {}, effect, boundary, declared, approvals, at } = action;
  const { agent, principal, issuer, tenant, consent, mismatch, depth = 0, amount } = action;
  const { allowlisted = false, resource, workspace, task, within } = action;
  return {
    tool,
    args,
    effect: effect ?? "irreversible",
    boundary: boundary ?? "outside",
    declared: declared ?? (effect !== undefined || boundary !== undefined),
    allowlisted,
    resource,
    workspace,
    amount,
    task,
    within,
    agent: {
      id: `delegation-${depth}`,
      ancestors: Array.from({ length: depth }, (_, i) => `delegation-${i}`),
      name: agent ?? "agent",
      tenant,
      consent: consent ?? "local",
      mismatch: mismatch ?? false,
    },
    person: { issuer: issuer ?? "https://issuer.example", subject: principal ?? "alice" },
    ...(approvals && { approvals }),
    now: at === undefined ? Date.now() : Date.parse(at),
  };
}

type Check = (value: Json) => boolean;
const text: Check = (value) => typeof value === "string";
const flag: Check = (value) => typeof value === "boolean";
const oneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    typeof value === "string" && words.includes(value);

const MEMBERS: { readonly [name in keyof WrittenAction]-?: Check } = {
  tool: text,
  args: () => true,
  effect: oneOf("read", "reversible", "irreversible"),
  boundary: oneOf("inside", "outside"),
  declared: flag,
  allowlisted: flag,
  resource: text,
  workspace: text,
  amount: (value) => isAmount(value),
  task: text,
  within: text,
  agent: text,
  principal: text,
  issuer: text,
  tenant: text,
  consent: oneOf("local", "oauth", "passkey"),
  mismatch: flag,
  depth: (value) => Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 64,
  approvals: (value) => Array.isArray(value) && value.every(text),
  at: (value) => typeof value === "string" && Number.isFinite(Date.parse(value)),
};

function isAmount(value: Json): boolean {
  const amount = members(value);
  if (!amount || Object.keys(amount).length !== 2) return false;
  const { value: number, currency } = amount;
  return (typeof number === "number" || typeof number === "string") && typeof currency === "string";
}

/** Throws `malformed_input` that names the member. `where`: what is read, for the message. */
export function readAction(value: Json | undefined, where: string): WrittenAction {
  const action = value === undefined ? undefined : members(value);
  if (!action || action["tool"] === undefined)
    throw malformed(`${where}: an action is an object with at least a "tool".`);
  for (const [name, member] of Object.entries(action)) {
    if (!Object.hasOwn(MEMBERS, name))
      throw malformed(`${where}: an action has no "${name}". It has ${Object.keys(MEMBERS).join(", ")}.`);
    if (!MEMBERS[name as keyof WrittenAction](member))
      throw malformed(`${where}: "${name}" is not what it has to be; see docs/policy.md.`);
  }
  return action as unknown as WrittenAction;
}

export function members(value: Json): { readonly [name: string]: Json } | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as { readonly [name: string]: Json })
    : undefined;
}

/** Throws `malformed_input`. */
export function readJson(written: string, where: string): Json {
  try {
    return parseJson(written);
  } catch (cause) {
    if (!CodedError.isInstance(cause)) throw cause;
    throw malformed(`${where} is not JSON that can be read.`, cause);
  }
}

export function malformed(message: string, cause?: unknown): CliError {
  return new CliError("malformed_input", message, { cause });
}
