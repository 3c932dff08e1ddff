import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  type AatTools,
  type Delegation,
  type Holder,
  type RestrictionRequest,
  generateHolder,
  issueDelegation,
} from "@behest/delegation";
import { type Signer, thumbprint } from "@behest/jws";
import { type LogReport, type Manifest, signTrust, trustHash, verifyLog } from "@behest/provenance";
import { type Approval, signDecision } from "../src/approval/approval.ts";
import { type BehestConfig, createFrom } from "../src/behest.ts";
import { memoryStore } from "../src/store/memory.ts";
import { sqliteStore } from "../src/store/sqlite/store.ts";
import { type Engine, type Store, engine as engineOf } from "../src/store/types.ts";
import type { Behest, Outcome, Session } from "../src/types.ts";

export const any: AatTools[string] = { "*": { constraint_type: "wildcard" } };
export const tools: AatTools = { pay: any, look: any };
export const profiles = {
  pay: {
    effect: "irreversible",
    boundary: "outside",
    amount: ({ amount }: { amount: number }) => ({ value: amount, currency: "EUR" }),
  },
  look: { effect: "read", boundary: "inside" },
} as unknown as NonNullable<BehestConfig["profiles"]>;

type Person = "cfo" | "clerk" | "counsel" | "warden";
const GROUPS: { readonly [person in Person]: string } = {
  cfo: "finance",
  clerk: "finance",
  counsel: "legal",
  warden: "break-glass",
};

/** Keys, a manifest and a store of its own; in a database it opens again and again, with other manifests and policies. */
export class Estate implements Disposable {
  readonly people!: { readonly [person in Person]: Signer };
  readonly #folder = mkdtempSync(join(tmpdir(), "behest-estate-"));
  readonly #keys!: { readonly [role in "owner" | "issuer" | "enforcer"]: Signer };
  readonly holder!: Holder;
  readonly time = { now: Date.now() };
  readonly #kind: "memory" | "sqlite";
  #manifest!: Manifest;
  #trust!: string;
  store!: Store;

  private constructor(kind: "memory" | "sqlite", people: Estate["people"], keys: readonly Holder[]) {
    const [owner, issuer, enforcer, holder] = keys as [Holder, Holder, Holder, Holder];
    this.#kind = kind;
    this.#keys = { owner, issuer, enforcer };
    Object.assign(this, { people, holder });
  }

  static async make(kind: "memory" | "sqlite" = "memory"): Promise<Estate> {
    const names = Object.keys(GROUPS) as Person[];
    const made = await Promise.all(names.map(async (name) => [name, await generateHolder()] as const));
    const keys = await Promise.all([1, 2, 3, 4].map(() => generateHolder()));
    const estate = new Estate(kind, Object.fromEntries(made) as unknown as Estate["people"], keys);
    const { issuer, enforcer } = estate.#keys;
    await estate.#sign({
      v: 1,
      seq: 0,
      at: new Date(0).toISOString(),
      origin: "estate.test/log",
      issuers: [{ iss: "https://issuer.test", jwk: issuer.jwk }],
      enforcers: [{ jwk: enforcer.jwk }],
      approvers: made.map(([person, { jwk }]) => ({ group: GROUPS[person], person, jwk })),
      revokers: [],
      witnesses: [],
    });
    return estate;
  }

  /** The next manifest leaves this person out. */
  async withdraw(left: Person): Promise<void> {
    const approvers = this.#manifest.approvers.filter(({ person }) => person !== left);
    const { seq } = this.#manifest;
    await this.#sign({ ...this.#manifest, approvers, seq: seq + 1, prev: trustHash(this.#trust) });
  }

  async #sign(manifest: Manifest): Promise<void> {
    this.#manifest = manifest;
    this.#trust = await signTrust(manifest, this.#keys.owner);
  }

  async open(config: Partial<BehestConfig> = {}): Promise<Behest> {
    this.store =
      this.#kind === "sqlite"
        ? sqliteStore(join(this.#folder, "log.db"))
        : memoryStore({ now: () => this.time.now });
    return createFrom({
      trust: { owner: thumbprint(this.#keys.owner.jwk), manifest: this.#trust },
      signer: this.#keys.enforcer,
      store: this.store,
      holder: this.holder,
      profiles,
      policy: "grants-alone",
      clock: () => this.time.now,
      ...config,
    });
  }

  /** Changes the database behind the back of everybody. */
  meddle(sql: string): void {
    using database = new DatabaseSync(join(this.#folder, "log.db"));
    database.exec(sql);
  }

  get engine(): Engine {
    return this.store[engineOf];
  }

  delegate(restrictions: RestrictionRequest = {}, principal = "alice"): Promise<Delegation> {
    const claims = { issuer: "https://issuer.test", holder: this.holder.jwk, principal, task: "t", tools };
    const now = Math.floor(this.time.now / 1000);
    return issueDelegation(
      { ...claims, expiresIn: "7d", maxDepth: 3, now, ...restrictions },
      this.#keys.issuer,
    );
  }

  /** What a verifier that pins the owner finds wrong. */
  async objections(): Promise<readonly string[]> {
    return (await this.report()).findings
      .filter(({ state }) => state !== "not_shown")
      .map(({ index, code }) => `${index} ${code}`);
  }

  async report(): Promise<LogReport> {
    const entries = await this.engine.entries(0, 10_000);
    const checkpoint = await this.engine.checkpoint();
    return verifyLog({ entries, checkpoint, owner: thumbprint(this.#keys.owner.jwk) });
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A payment in euros; its outcome, or the code of what stopped it. */
export async function pay(session: Session, callId: string, amount = 5, args: object = {}): Promise<string> {
  const action = { tool: "pay", args: { to: "bob", amount, ...args } as never, callId };
  return said(session.perform(action, async () => "paid"));
}

export function said(outcome: Promise<Outcome<unknown>>): Promise<string> {
  return outcome.then(
    (one) => one.outcome,
    (error: { code: string }) => error.code,
  );
}

/** A person decides on everything that waits for the group. */
export async function decideAll(
  behest: Behest,
  by: Signer,
  decision: "approve" | "deny" = "approve",
  group = "finance",
): Promise<readonly Approval[]> {
  const waiting = await behest.approvals.list({ group, approved: decision === "deny" });
  for (const one of waiting) await behest.approvals.submit(one.id, await signDecision(one, { decision }, by));
  return waiting;
}
