import type {
  CedarValueJson,
  EntityJson,
  StatefulAuthorizationCall,
  TypeAndId,
} from "@cedar-policy/cedar-wasm/nodejs";
import type { Effect, Json, Rung } from "@behest/delegation";
import type { Boundary } from "../profile/profile.ts";
import type { Reads } from "./reads.ts";
import { OTHER, type PolicySchema } from "./schema.ts";
import { Unfit, decimalOf, show } from "./values.ts";

/** All that a policy is decided on. */
export interface PolicyRequest {
  readonly tool: string;
  readonly args: Json;
  readonly effect: Effect;
  readonly boundary: Boundary;
  /** The tool has a profile. */
  readonly declared: boolean;
  /** Every argument that decides where the effect lands is held to something narrower than anything. */
  readonly allowlisted: boolean;
  readonly agent: {
    /** jti of its delegation, and of those above it, root first. */
    readonly id: string;
    readonly ancestors: readonly string[];
    readonly name: string;
    readonly tenant?: string | undefined;
    readonly consent: Rung;
    /** It was found to be another than its delegation binds. */
    readonly mismatch: boolean;
  };
  readonly person: { readonly issuer: string; readonly subject: string };
  /** What is touched, and the workspace that it lies in. */
  readonly resource?: string | undefined;
  readonly workspace?: string | undefined;
  readonly amount?: { readonly value: string | number; readonly currency: string } | undefined;
  readonly task?: string | undefined;
  /** What the delegation holds the agent to. */
  readonly within?: string | undefined;
  /** Groups that have approved it. */
  readonly approvals?: readonly string[];
  /** ms since the epoch. */
  readonly now: number;
}

export type Call = Pick<
  StatefulAuthorizationCall,
  "principal" | "action" | "resource" | "context" | "entities"
>;

/**
 * A request in Cedar's terms, with what the policies read of it. Names are values here, never Cedar text. It is of
 * the schema's types by how it is made, so that Cedar need not check it again at every decision. Throws {@link Unfit}.
 */
export function callOf(
  request: PolicyRequest,
  { tools, other }: PolicySchema,
  { names, parents, literals }: Reads,
): Call {
  const { agent, person, resource, workspace, within, amount } = request;
  const tool = tools.get(request.tool);
  const { args, complete } = show((tool ?? other).args, request.args);
  const read = <T extends object>(members: T): T => (names ? picked(members, names) : members);
  const principal = { type: "Agent", id: agent.id };
  const touched = { type: "Resource", id: resource ?? "" };
  const who = { type: "Principal", id: `${person.issuer}|${person.subject}` };
  const action = { type: "Action", id: tool ? request.tool : OTHER };
  const acting = {
    name: agent.name,
    person: read({ issuer: person.issuer, subject: person.subject }),
    ...(agent.tenant !== undefined && { tenant: agent.tenant }),
    consent: agent.consent,
    mismatch: agent.mismatch,
  };
  const entities: EntityJson[] = [];
  const add = (uid: TypeAndId, attrs: EntityJson["attrs"], above: readonly TypeAndId[]): void => {
    const attributes = read(attrs);
    if (above.length > 0 || Object.keys(attributes).length > 0)
      entities.push({ uid, attrs: attributes, parents: [...above] });
  };
  const chain = agent.ancestors.map((id): TypeAndId => ({ type: "Agent", id }));
  add(principal, acting, parents.has("principal") ? [...chain, who] : []);
  const lies = workspace === undefined ? {} : { workspace: place(workspace) };
  add(touched, lies, parents.has("resource") && workspace !== undefined ? enclosing(workspace) : []);
  // Each once: Cedar refuses an entity that is there twice.
  const places = parents.has("workspace") ? [workspace, within, ...literals.map(({ id }) => id)] : [];
  for (const id of new Set(places)) {
    const [itself, ...around] = id === undefined ? [] : enclosing(id);
    if (itself) add(itself, {}, around);
  }
  add(action, {}, parents.has("action") ? (tool ?? other).groups : []);
  const context: { [name: string]: CedarValueJson } = {};
  for (const name in CONTEXT) {
    if (names && !names.has(name)) continue;
    const value = CONTEXT[name]!(request);
    if (value !== undefined) context[name] = value;
  }
  if (!names || names.has("args")) context["args"] = read(args);
  if (!names || names.has("argsComplete")) context["argsComplete"] = complete;
  // Read in any case: an amount that cannot be told is a denial.
  const spends = amount && money(amount);
  if (spends && (!names || names.has("amount"))) context["amount"] = spends;
  return { principal, action, resource: touched, context, entities };
}

/** The members of the context that every tool has, but for its arguments and the amount. */
const CONTEXT: { readonly [name: string]: (request: PolicyRequest) => CedarValueJson | undefined } = {
  tool: ({ tool }) => tool,
  effect: ({ effect }) => effect,
  boundary: ({ boundary }) => boundary,
  declared: ({ declared }) => declared,
  allowlisted: ({ allowlisted }) => allowlisted,
  task: ({ task }) => task,
  workspace: ({ within }) => (within === undefined ? undefined : place(within)),
  depth: ({ agent }) => agent.ancestors.length,
  approvals: ({ approvals = [] }) => [...approvals],
  now: ({ now }) => Math.floor(now / 1000),
  at: ({ now }) => ({ __extn: { fn: "datetime", arg: new Date(now).toISOString() } }),
};

function picked<T extends object>(members: T, names: ReadonlySet<string>): T {
  const found: { [name: string]: unknown } = {};
  for (const name in members) if (names.has(name)) found[name] = members[name];
  return found as T;
}

function place(workspace: string): CedarValueJson {
  return { __entity: { type: "Workspace", id: workspace } };
}

/** "a/b/c" lies in itself, in "a/b" and in "a". "a/b/../c" would lie in "a/b" as well, so such texts are none. */
function enclosing(workspace: string): TypeAndId[] {
  if (workspace.split("/").some((segment) => /^\.*$/.test(segment)))
    throw new Unfit("a workspace that policies look at is none");
  const places: TypeAndId[] = [];
  for (let end = workspace.length; end > 0; end = workspace.lastIndexOf("/", end - 1))
    places.push({ type: "Workspace", id: workspace.slice(0, end) });
  return places;
}

function money({ value, currency }: NonNullable<PolicyRequest["amount"]>): CedarValueJson {
  const decimal = decimalOf(value);
  if (decimal === undefined || typeof currency !== "string")
    throw new Unfit("the amount that its profile reads is no decimal of at most four places");
  return { value: { __extn: { fn: "decimal", arg: decimal } }, currency };
}
