import { isDeepStrictEqual } from "node:util";
import {
  type ActionRecord,
  type Ask,
  currentSession,
  memoryStore,
  readStore,
  signDecision,
} from "@behest/core";
import { type TestBehest, testBehest } from "@behest/core/testing";
import { type Delegation, issueDelegation } from "@behest/delegation";
import { type LogReport, verifyLog } from "@behest/provenance";
import type { Call, Run, ToolSpec } from "./recordings.ts";
import type { About, Suite } from "./suites.ts";

export interface ScriptedCall extends Call {
  readonly id: string;
}

/** What the model of the current session calls in its nth turn; nothing more: it is done. */
export type Script = (turn: number) => readonly ScriptedCall[];

/** Every tool's body. */
export type Body = (id: string, tool: string, args: unknown) => string;

/** What a model was told of one of its calls. */
export interface Told {
  readonly id: string;
  readonly as: "result" | "refusal" | "error";
}

/** A framework with its adapter. */
export interface Framework {
  readonly name: string;
  /** It turns this call away by itself, before anything of ours sees it. */
  turnsAway(call: Call, spec: ToolSpec | undefined): boolean;
  /** One agent for all sessions. Resolves with what its model was told; each time that it pauses, `decided` is awaited. */
  agent(
    specs: readonly ToolSpec[],
    script: Script,
    body: Body,
  ): (prompt: string, decided: (asks: readonly Ask[]) => Promise<void>) => Promise<Told[]>;
}

/** `malformed`: the framework turned it away. `odd`: what is said of it does not agree, or it ran with other arguments. */
export type Fate = "ran" | "refused" | "malformed" | "odd";

export interface PlayedCall extends About {
  readonly run: Run;
  readonly call: Call;
  readonly session: string;
  readonly fate: Fate;
  readonly expected: Fate;
}

export interface Played {
  readonly suite: Suite;
  readonly calls: readonly PlayedCall[];
  readonly records: readonly ActionRecord[];
  /** The log, as a stranger who pins the owner's thumbprint finds it. */
  verify(): Promise<LogReport>;
}

/** So many runs at a time, each in a session of its own, through one agent: they must not meet. */
const AT_ONCE = 8;

/** Every run of a suite, each under its own delegation; one log for all. */
export async function play(framework: Framework, suite: Suite): Promise<Played> {
  const store = memoryStore();
  const { policed } = suite;
  const behest = await testBehest({
    store,
    policy: policed ? "default" : "grants-alone",
    ...(policed && { profiles: policed.profiles }),
  });
  const stages = new Map<string, Stage>();
  const stage = (): Stage => stages.get(currentSession().id)!;
  const agent = framework.agent(
    suite.specs,
    (turn) => stage().turns[turn] ?? [],
    (id, tool, args) => stage().ran(id, tool, args),
  );
  const perform = async (run: Run): Promise<PlayedCall[]> => {
    const session = await behest.open(await delegated(behest, suite, run));
    const own = new Stage(run);
    stages.set(session.id, own);
    const told = await session.run(() => agent(run.prompt, (asks) => decide(behest, run, asks)));
    stages.delete(session.id);
    return own.turns.flat().map((call) => {
      const about = suite.about(run, call);
      const away = framework.turnsAway(
        call,
        suite.specs.find(({ name }) => name === call.tool),
      );
      const runs = about.inside && (!about.asked || call.label === "user_gt");
      const expected = away ? "malformed" : runs ? "ran" : "refused";
      return { ...about, run, call, session: session.id, fate: own.fateOf(call, told), expected };
    });
  };
  const calls: PlayedCall[] = [];
  for (let from = 0; from < suite.runs.length; from += AT_ONCE)
    calls.push(...(await Promise.all(suite.runs.slice(from, from + AT_ONCE).map(perform))).flat());
  const records = await behest.records.list();
  await behest.close();
  const log = readStore(store);
  return {
    suite,
    calls,
    records,
    verify: async () =>
      verifyLog({ entries: log.entries(), checkpoint: await log.checkpoint(), owner: behest.owner }),
  };
}

function delegated({ issuer, holder }: TestBehest, suite: Suite, run: Run): Promise<Delegation> {
  const approvals = suite.policed?.approvals(run);
  const claims = {
    issuer: issuer.iss,
    holder: holder.jwk,
    principal: "alice",
    task: "what the person asked for",
    tools: suite.tools(run),
    expiresIn: "1h",
    ...(approvals && { approvals }),
  } as const;
  return issueDelegation(claims, issuer.signer);
}

/** A perfect person: approves what the user's task needs, word for word, and nothing else. */
async function decide(behest: TestBehest, { turns }: Run, asks: readonly Ask[]): Promise<void> {
  const wanted = new Set(asks.map(({ approval }) => approval));
  const waiting = (await behest.approvals.list({ group: "approvers" })).filter(({ id }) => wanted.has(id));
  const needed = turns.flat().filter(({ label }) => label === "user_gt");
  for (const one of waiting) {
    const isNeeded = needed.some(({ tool, args }) => tool === one.tool && isDeepStrictEqual(args, one.args));
    const decision = { decision: isNeeded ? "approve" : "deny" } as const;
    await behest.approvals.submit(one.id, await signDecision(one, decision, behest.approver("approvers")));
  }
}

/** One run on its way: what its model calls, and which bodies ran with what. */
class Stage {
  readonly turns: readonly (readonly ScriptedCall[])[];
  readonly #bodies: { readonly id: string; readonly tool: string; readonly args: unknown }[] = [];

  constructor({ turns }: Run) {
    this.turns = turns.map((turn, t) => turn.map((call, i) => ({ ...call, id: `call-${t}-${i}` })));
  }

  ran(id: string, tool: string, args: unknown): string {
    this.#bodies.push({ id, tool, args });
    return "done";
  }

  fateOf(call: ScriptedCall, told: readonly Told[]): Fate {
    const bodies = this.#bodies.filter(({ id }) => id === call.id);
    const [answer, ...more] = told.filter(({ id }) => id === call.id);
    const strays = this.#bodies.some(({ id }) => !this.turns.flat().some((known) => known.id === id));
    if (!answer || more.length > 0 || strays) return "odd";
    if (bodies.length === 0) return FATES[answer.as];
    const { tool, args } = call;
    const whole = isDeepStrictEqual(bodies, [{ id: call.id, tool, args }]);
    return whole && answer.as === "result" ? "ran" : "odd";
  }
}

const FATES: { readonly [as in Told["as"]]: Fate } = {
  result: "odd",
  refusal: "refused",
  error: "malformed",
};
