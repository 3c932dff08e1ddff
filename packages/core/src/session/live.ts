import { randomUUID } from "node:crypto";
import type { Span } from "@opentelemetry/api";
import type { AatTools, Holder, HopClaims, Json } from "@behest/delegation";
import { type Issuer, speaksFor } from "@behest/provenance";
import { type Account, accountsOf } from "../budget/budget.ts";
import { classOfCall } from "../profile/class.ts";
import type { Vault } from "../record/content.ts";
import type { Deferral } from "../deferred/deferral.ts";
import type { Deployment } from "../deployment.ts";
import { endErased, isErasure } from "../erasure/ended.ts";
import { BehestError, type Code, type Waiting } from "../error.ts";
import type { RunningIdentity } from "./identity.ts";
import type { ActionClass } from "../profile/profile.ts";
import { Lineage } from "../revocation/keys.ts";
import type { Cutting } from "../revocation/revocations.ts";
import { Written } from "../turn/written.ts";

export interface TurnPlace {
  readonly index: number;
  readonly hash: string;
}

/** A model turn that was asked or replayed here. */
interface Turn {
  /** As its answer names it. */
  readonly model: string;
  /** Where its entry stands. */
  readonly place: Promise<TurnPlace>;
}

/** What a root session shares with everything spawned below it. */
export interface Run {
  /** Durable id, or a random one: then nothing resumes. */
  id: string;
  durable: boolean;
  /** By {@link turnKey}. */
  readonly turns: Map<string, Turn>;
  /** Its root agent's last turn chose calls, or something waits: whatever settled since, the run has not ended. */
  unanswered: boolean;
  /** It has ended well, and would be forgotten but for what is deferred. */
  complete: boolean;
  /** By action. */
  readonly deferred: Map<string, Deferral>;
  /** How many `session.run` are under way, and whether one of those since none was has failed. */
  open: number;
  failed: boolean;
  /** Denials since the last action that was permitted. */
  denials: number;
  readonly stop: AbortController;
}

export function newRun(id: string | undefined): Run {
  return {
    id: id ?? randomUUID(),
    durable: id !== undefined,
    turns: new Map(),
    unanswered: false,
    complete: false,
    deferred: new Map(),
    open: 0,
    failed: false,
    denials: 0,
    stop: new AbortController(),
  };
}

/** A loop of denials this long ends the run: the model is not going to stop by itself. */
const MAX_DENIALS = 50;

/** Who signed a root, and what it says that only who may assert it can. */
interface Asserted {
  readonly by: Parameters<typeof speaksFor>[1];
  readonly said: Parameters<typeof speaksFor>[2];
}

/** The chain that a session acts under. */
interface Delegated {
  readonly chain: readonly string[];
  /** Has the leaf's key. */
  readonly holder: Holder;
  /** Hash of the leaf's `delegation` entry. */
  readonly entry: string;
}

export interface SessionParts {
  readonly deployment: Deployment;
  readonly vault: Vault;
  /** The principal's subject. */
  readonly principal: string;
  readonly agent: string;
  /** Undefined where nobody has delegated anything and what is done is only observed. */
  readonly delegated: Delegated | undefined;
  /** Of the chain; of an observed session, what stands in for one in this process's memory. */
  readonly hops: readonly HopClaims[];
  /** Absent where a session was spawned by another, or is only observed. */
  readonly asserted?: Asserted;
  readonly tools: AatTools;
  /** Of an observed session: when its principal is in the store. What is to be recorded waits for it. */
  readonly registered?: Promise<void>;
  readonly root: Run;
  /** Action ids of the spawns that led here, "/" between. */
  readonly path: string;
  readonly parent?: LiveSession;
  /** Of one that was spawned: whether its spawn can be made again when persons have decided. */
  readonly waits?: boolean;
  /** Whether what persons have to approve is done later, while the agent goes on. */
  readonly defers: boolean;
  readonly identity: RunningIdentity | undefined;
  /** What the sessions it was spawned from strayed from, in this process (checks/identity.ts). */
  readonly strayed: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

type Ending = Extract<Code, "delegation_expired" | "session_ended" | "principal_erased">;

/** A session's state, without what can be done with it (session.ts). */
export class LiveSession {
  readonly parts: SessionParts;
  readonly id: string;
  readonly principal: string;
  readonly agent: string;
  readonly signal: AbortSignal;
  readonly deployment: Deployment;
  readonly vault: Vault;
  readonly leaf: HopClaims;
  /** {@link agent}, sealed. */
  readonly sealedAgent: Uint8Array;
  readonly tools: AatTools;
  readonly accounts: readonly Account[];
  /** Earliest `exp` of the chain, ms since the epoch. */
  readonly expires: number;
  /** How often each model turn was asked or replayed here, so that equal prompts are told apart. */
  readonly asked: Map<string, number> = new Map();
  /** The messages and tools of its latest model turn. */
  readonly prompt: Written = new Written();
  readonly offered: Written = new Written();
  /** What waits for persons, here and in what was spawned from here; by action, also by the spawn it waits below. */
  readonly waiting: Map<string, Waiting> = new Map();
  readonly lineage: Lineage;
  /** Its issuer keeps a status of it. */
  readonly listed: boolean;
  readonly #cut = new AbortController();
  /** The `invoke_agent` span of its latest stretch: what a child session links to. */
  span: Span | undefined;
  #ordinal = 0;

  constructor(parts: SessionParts) {
    this.parts = parts;
    this.principal = parts.principal;
    this.agent = parts.agent;
    this.deployment = parts.deployment;
    this.vault = parts.vault;
    this.leaf = parts.hops.at(-1)!;
    this.tools = parts.tools;
    this.accounts = accountsOf(parts.vault, parts.hops);
    const signals = [
      this.#cut.signal,
      parts.root.stop.signal,
      parts.deployment.closing,
      parts.signal,
      parts.parent?.signal,
    ];
    this.signal = AbortSignal.any(signals.filter((signal) => signal !== undefined));
    this.expires = Math.min(...parts.hops.map((hop) => hop.exp)) * 1000;
    const own = this.vault.name("session", parts.root.id, parts.path, this.leaf.hash);
    this.id = parts.parent ? `${parts.parent.id}.${own.slice(0, 11)}` : own.slice(0, 22);
    this.sealedAgent = this.vault.seal(this.id, "agent", this.agent);
    this.listed = this.leaf.restrictions?.status !== undefined;
    const above = parts.parent?.lineage.names ?? [];
    this.lineage = new Lineage(parts.hops, parts.principal, [...above, this.agent]);
    this.deployment.revocations.follow(this);
  }

  /** Nothing was delegated; only under shadow. */
  get observed(): boolean {
    return this.parts.delegated === undefined;
  }

  /** What stands in every action's entry and span where nothing is enforced, or nothing was delegated. */
  get marks(): { readonly enforce?: "shadow"; readonly observed?: true } {
    const { deployment, observed } = this;
    return { ...(deployment.enforce === "shadow" && { enforce: "shadow" }), ...(observed && { observed }) };
  }

  get root(): Run {
    return this.parts.root;
  }

  actionId(turn: string, callId: string, ordinal: string): string {
    return this.vault.name("action", this.root.id, this.parts.path, turn, callId, ordinal);
  }

  nextOrdinal(): number {
    return this.#ordinal++;
  }

  /** A turn of this very agent: a provider may give two agents' turns one id. */
  turnKey(turn: string): string {
    return `${this.parts.path}\n${turn}`;
  }

  turn(turn: string): Turn | undefined {
    return this.root.turns.get(this.turnKey(turn));
  }

  /** Why nothing may go on in this session, or undefined. What could not be signed verifiably is not begun. */
  stopped(now: number): Ending | Cutting | undefined {
    const cut = this.deployment.revocations.state(this.lineage);
    if (cut) return cut;
    const { reason } = this.signal as { readonly reason: unknown };
    if (BehestError.isInstance(reason) && (reason.code === "revoked" || reason.code === "principal_erased"))
      return reason.code;
    if (this.signal.aborted || now >= this.deployment.until) return "session_ended";
    return now >= this.expires ? "delegation_expired" : undefined;
  }

  /** The same, after a look at its issuer's status list, where it has one. What that says is revoked ends it. */
  async stoppedNow(): Promise<ReturnType<LiveSession["stopped"]>> {
    const { status, clock } = this.deployment;
    const { hops } = this.parts;
    const listed = this.listed ? await status?.(hops, this.principal) : undefined;
    if (listed === "revoked") this.cut(new BehestError("revoked", "revoked: its issuer's list says so."));
    return this.stopped(clock()) ?? listed;
  }

  /** What the store answers. Where its principal was erased meanwhile, the session ends. */
  async written<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      if (isErasure(error)) endErased(this.deployment, this.vault.principal);
      throw error;
    }
  }

  /** Whether one of these issuers may still assert what it rests on. */
  isSpokenFor(issuers: readonly Issuer[]): boolean {
    const { asserted, parent } = this.parts;
    if (parent) return parent.isSpokenFor(issuers);
    return !asserted || speaksFor(issuers, asserted.by, asserted.said);
  }

  /** What it acts under was revoked, or its principal erased: all that runs in it is told at once. */
  cut(reason: BehestError): void {
    this.#cut.abort(reason);
  }

  /** A denial was recorded; a loop of them ends the run. */
  countDenial(): void {
    if (++this.root.denials < MAX_DENIALS) return;
    const message = `session_ended: ${MAX_DENIALS} actions in a row were denied. Start a new run, or widen the delegation.`;
    this.root.stop.abort(new BehestError("session_ended", message));
  }

  classOf(tool: string, args: Json, definition?: object): ActionClass {
    const { profiles } = this.deployment;
    const named = Object.hasOwn(profiles, tool) ? profiles[tool] : undefined;
    return classOfCall(
      definition,
      named,
      args,
      Object.hasOwn(this.tools, tool) ? this.tools[tool] : undefined,
    );
  }
}
