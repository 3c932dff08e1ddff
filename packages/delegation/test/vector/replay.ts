import type { Json } from "@behest/jws";
import {
  type AatTools,
  type ActionOptions,
  type Anchor,
  type Arguments,
  type Consent,
  DEFAULT_LIMITS,
  type DelegationCode,
  DelegationError,
  type DeriveClaims,
  type LimitScope,
  type Limits,
  type Restrictions,
  type VerificationLimits,
  type Wider,
  checkArguments,
  compareGrants,
  deriveDelegation,
  holderOf,
  signerFromPkcs8,
  verifyAction,
  verifyDelegation,
} from "../../src/index.ts";
import { ANCHORS, NOW, child, granting, proof, root } from "./token.ts";
import type { Case, Replay } from "./vector.ts";

/** A case as it was read, with what is given for all of its file. */
interface Read {
  readonly chain: readonly string[];
  readonly leaf?: string;
  readonly anchors: readonly Anchor[];
  readonly now: number;
  readonly audience?: string;
  readonly require_chain_audience?: boolean;
  readonly limits?: { readonly [name: string]: number };
  readonly status?: "valid" | "invalid" | "unknown";
  readonly proof: string;
  readonly tool: string;
  readonly args: string;
  readonly nonce?: string;
  readonly require_nonce?: boolean;
  readonly require_proof_audience?: boolean;
  readonly seen?: readonly string[];
  readonly tools: AatTools;
  readonly parent: AatTools;
  readonly child: AatTools;
  readonly holder_seed: string;
  readonly request: {
    readonly tools: AatTools;
    readonly narrow?: boolean;
    readonly expires_in?: number;
    readonly max_depth?: number;
    readonly bhst?: Restrictions;
  };
}

export interface Verdict {
  readonly expect: Case["expect"];
  readonly code?: DelegationCode;
  readonly step?: string | undefined;
  readonly hop?: number | undefined;
  readonly wider?: readonly Wider[] | undefined;
  readonly result?: object;
}

const VERIFYING = [
  "chain",
  "leaf",
  "anchors",
  "now",
  "audience",
  "require_chain_audience",
  "limits",
  "status",
];
const PROVING = ["proof", "tool", "args", "nonce", "require_nonce", "require_proof_audience", "seen"];

const WAYS: {
  readonly [replay in Replay]: {
    readonly members: readonly string[];
    /** What comes of it; a refusal is thrown. */
    readonly run: (read: Read) => Promise<object>;
  };
} = {
  delegation: { members: VERIFYING, run: verified },
  action: {
    members: [...VERIFYING, ...PROVING],
    run: async (read) => {
      const { args } = await verifyAction({ ...read, chain: chainOf(read) }, optionsOf(read));
      return { args };
    },
  },
  arguments: { members: ["tools", "tool", "args"], run: called },
  tools: {
    members: ["tools"],
    run: async ({ tools }) => {
      const granted = attempt(() => compareGrants(tools, tools));
      const token = root(granting(tools as Json));
      return agreeing(granted, () => verifyDelegation([token], { issuers: ANCHORS, now: NOW }));
    },
  },
  grants: { members: ["parent", "child"], run: compared },
  derive: { members: ["chain", "anchors", "now", "holder_seed", "request"], run: derived },
};

/** A case through this package's public functions. */
export async function replay(way: Replay, read: { readonly [member: string]: unknown }): Promise<Verdict> {
  if (!Object.hasOwn(WAYS, way)) throw new Error(`not understood: ${way}`);
  const { members, run } = WAYS[way];
  const unknown = Object.keys(read).filter((name) => ![...members, ...VERDICT].includes(name));
  if (unknown.length > 0) throw new Error(`not understood: ${unknown.join()}`);
  try {
    return { expect: "accept", result: await run(read as unknown as Read) };
  } catch (error) {
    if (!DelegationError.isInstance(error)) throw error;
    const { code, step, hop, wider } = error;
    return { expect: "refuse", code, step, hop, wider };
  }
}

const VERDICT = ["name", "expect", "result", "code", "step", "hop", "wider"];

function chainOf({ chain, leaf }: Read): readonly string[] {
  return leaf === undefined ? chain : [...chain, leaf];
}

function optionsOf(read: Read): ActionOptions {
  const { audience, nonce, limits = {}, status, seen } = read;
  return {
    issuers: read.anchors,
    now: read.now,
    limits: limitsOf(limits),
    ...(audience !== undefined && { audience }),
    ...(nonce !== undefined && { nonce }),
    ...(read.require_chain_audience !== undefined && { requireChainAudience: read.require_chain_audience }),
    ...(read.require_nonce !== undefined && { requireNonce: read.require_nonce }),
    ...(read.require_proof_audience !== undefined && { requireProofAudience: read.require_proof_audience }),
    ...(seen && { replay: new Set(seen) }),
    ...(status && {
      status: () => (status === "unknown" ? Promise.reject(new Error("no answer")) : status === "valid"),
    }),
  };
}

function limitsOf(limits: { readonly [name: string]: number }): Partial<VerificationLimits> {
  const named = Object.entries(limits).map(([name, value]) => {
    const own = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    if (!Object.hasOwn(DEFAULT_LIMITS, own)) throw new Error(`not understood: limits.${name}`);
    return [own, value] as const;
  });
  return Object.fromEntries(named);
}

interface Outcome {
  readonly principal: string;
  readonly tenant: string | undefined;
  readonly issuer: string;
  readonly consent: Consent;
  readonly tools: AatTools;
  readonly bhst: Restrictions | undefined;
  readonly hops: number;
  /** The rest is the leaf's. */
  readonly task: string | undefined;
  readonly agent: string | undefined;
  readonly agent_identity: object | undefined;
  readonly exp: number;
  readonly del_max_depth: number;
}

async function verified(read: Read): Promise<Outcome> {
  const { principal, tenant, issuer, consent, tools, restrictions, hops, leaf } = await verifyDelegation(
    chainOf(read),
    optionsOf(read),
  );
  const { task, agent, identity, exp, maxDepth } = leaf;
  return {
    principal,
    tenant,
    issuer,
    consent,
    tools,
    bhst: restrictions,
    hops,
    task,
    agent,
    agent_identity: identity,
    exp,
    del_max_depth: maxDepth,
  };
}

/** Both by the function that only looks at arguments and by one that verifies a call, signed here. */
async function called({ tools, tool, args }: Read): Promise<object> {
  const plain = JSON.parse(args) as Arguments;
  const refused = checkArguments(tools, tool, plain);
  const token = root(granting(tools as Json));
  const presented = { chain: [token], proof: proof(token, { aat_tool: tool, hta: plain }), tool, args };
  return agreeing(refused?.code, () => verifyAction(presented, { issuers: ANCHORS, now: NOW }));
}

/** Both by the function that compares grants and by verifying a chain of two, signed here. */
async function compared({ parent, child: asked }: Read): Promise<object> {
  const wider = compareGrants(parent, asked);
  const held = root(granting(parent as Json));
  const chain = [held, child(held, granting(asked as Json))];
  return agreeing(wider.length > 0 ? "wider_than_parent" : undefined, () =>
    verifyDelegation(chain, { issuers: ANCHORS, now: NOW }),
  );
}

async function derived({ chain, anchors, now, holder_seed: seed, request }: Read): Promise<object> {
  const der = Buffer.from(`302e020100300506032b657004220420${seed}`, "hex").toString("base64");
  const holder = holderOf(
    await signerFromPkcs8(`-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----`),
  );
  const { tools, narrow, expires_in: expiresIn, max_depth: maxDepth, bhst, ...rest } = request;
  if (Object.keys(rest).length > 0) throw new Error(`not understood: ${Object.keys(rest).join()}`);
  const claims: DeriveClaims = {
    holder: holder.jwk,
    now,
    tools,
    ...(narrow !== undefined && { narrow }),
    ...(expiresIn !== undefined && { expiresIn }),
    ...(maxDepth !== undefined && { maxDepth }),
    ...(bhst && restrictionsOf(bhst)),
  };
  const delegation = await deriveDelegation(chain, claims, holder);
  return verified({ chain: delegation.chain, anchors, now } as Read);
}

function restrictionsOf({
  fan_out: fanOut,
  consent,
  limits,
  status,
  ...rest
}: Restrictions): Partial<DeriveClaims> {
  if (status) throw new Error("not understood: a holder cannot ask for a status");
  const scoped = Object.entries(limits ?? {}).map(
    ([per, limit]) => ({ ...limit, per: per as LimitScope }) as Limits,
  );
  return {
    ...rest,
    ...(fanOut !== undefined && { fanOut }),
    ...(consent && { minConsent: consent }),
    ...(limits && { limits: scoped }),
  };
}

function attempt(run: () => unknown): DelegationCode | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (!DelegationError.isInstance(error)) throw error;
    return error.code;
  }
}

/** The second opinion on what has `code` for the first, or is accepted without one. */
async function agreeing(code: DelegationCode | undefined, run: () => Promise<unknown>): Promise<object> {
  let second: DelegationCode | undefined;
  try {
    await run();
  } catch (error) {
    if (!DelegationError.isInstance(error) || error.code === code) throw error;
    second = error.code;
  }
  if (second !== code) throw new Error(`${code} by one function, ${second} by the other`);
  return {};
}
