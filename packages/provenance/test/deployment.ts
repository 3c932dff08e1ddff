import {
  type PublicJwk,
  type Signer,
  canonical,
  generatePrivateJwk,
  randomBytes,
  sha256,
  signerOf,
  thumbprint,
  toBase64url,
} from "@behest/jws";
import {
  type EntryPayload,
  type Frontier,
  type LogReport,
  type Manifest,
  appendLeaf,
  certifyEntryKey,
  entryHash,
  rootOf,
  signActionDecision,
  signCheckpoint,
  signEntry,
  signTrust,
  verifyLog,
} from "../src/index.ts";

export const AT = "2026-11-20T08:00:00.000Z";
export const NOW: number = Date.parse(AT) / 1000;
export const ORIGIN = "log.example/behest";

export async function key(): Promise<Signer> {
  return signerOf(await generatePrivateJwk());
}

export function digest(text: string): string {
  return toBase64url(sha256(text));
}

/** An entry key with its emitter's count. */
export interface Emitter {
  readonly signer: Signer;
  readonly certificate: string;
  seq: number;
}

/** A small deployment and its log, with every lever an attacker could want. */
export class Deployment {
  readonly owner!: Signer;
  readonly issuer!: Signer;
  readonly enforcer!: Signer;
  readonly holder!: Signer;
  readonly manifest!: Manifest;
  readonly trust!: string;
  emitter!: Emitter;
  entries: string[] = [];

  private constructor(
    parts: Pick<Deployment, "owner" | "issuer" | "enforcer" | "holder" | "manifest" | "trust" | "emitter">,
  ) {
    Object.assign(this, parts);
  }

  static async make(change: Partial<Manifest> = {}): Promise<Deployment> {
    const [owner, issuer, enforcer, holder] = [await key(), await key(), await key(), await key()];
    const manifest = manifestOf({ issuer: issuer.jwk, enforcer: enforcer.jwk }, change);
    const trust = await signTrust(manifest, owner);
    return new Deployment({
      owner,
      issuer,
      enforcer,
      holder,
      manifest,
      trust,
      emitter: await emitterOf(enforcer),
    });
  }

  /** A log of one root delegation, one turn and `actions` permitted reads with their outcomes. */
  static async withLog(actions = 2): Promise<Deployment> {
    const made = await Deployment.make();
    made.open();
    const delegation = made.append(made.delegation());
    const interaction = made.append(made.interaction(delegation, actions));
    for (let i = 0; i < actions; i++) {
      const action = made.append(made.action(delegation, { action: `call-${i}`, interaction }));
      made.append(outcome(action, { action: `call-${i}` }));
    }
    return made;
  }

  get pin(): string {
    return thumbprint(this.owner.jwk);
  }

  /** The emitter's first entry; the log's first when it brings the manifest. */
  open(emitter: Emitter = this.emitter, manifest: string | null = this.trust): string {
    this.emitter = emitter;
    return this.append({
      v: 1,
      type: "trust",
      at: AT,
      certificate: emitter.certificate,
      ...(manifest && { manifest }),
    });
  }

  append(payload: EntryPayload): string {
    return this.push(signEntry(canonical(payload), this.emitter.seq++, this.emitter.signer));
  }

  /** Adds a finished JWS; answers with its hash. */
  push(jws: string): string {
    this.entries.push(jws);
    return toBase64url(entryHash(jws));
  }

  delegation(change: object = {}): EntryPayload {
    return {
      v: 1,
      type: "delegation",
      at: AT,
      jti: "root-1",
      leaf: digest("token"),
      principal: "p-1",
      holder: this.holder.jwk.x,
      issuer: thumbprint(this.issuer.jwk),
      depth: 0,
      exp: String(NOW + 3600),
      iat: String(NOW),
      content: { token: digest("salted token") },
      links: {},
      ...change,
    };
  }

  /** A turn that chose `call-0` … */
  interaction(delegation: string, calls = 1): EntryPayload {
    const content = { instruction: digest("i"), tools: digest("t"), response: digest("r") };
    return {
      v: 1,
      type: "interaction",
      at: AT,
      session: "s-1",
      turn: "t-1",
      model: "m",
      provider: "p",
      calls: Array.from({ length: calls }, (_, i) => ({ action: `call-${i}`, tool: "read_file" })),
      content,
      links: { delegation },
    };
  }

  action(
    delegation: string,
    options: { action: string; interaction?: string; decided?: object; holder?: Signer; change?: object },
  ): EntryPayload {
    const { action, interaction, decided = {}, holder = this.holder, change = {} } = options;
    const args = digest(`args of ${action}`);
    const decision = { action, leaf: digest("token"), tool: "read_file", args, ...decided };
    return {
      v: 1,
      type: "action",
      at: AT,
      action,
      attempt: 1,
      session: "s-1",
      tool: "read_file",
      effect: "read",
      boundary: "inside",
      verdict: "permit",
      findings: [],
      decision: signActionDecision(decision, holder) as string,
      content: { args },
      links: { delegation, ...(interaction && { interaction }) },
      ...change,
    };
  }

  head(entries: readonly string[] = this.entries): { readonly size: number; readonly root: Uint8Array } {
    let frontier: Frontier = [];
    for (const [i, jws] of entries.entries()) frontier = appendLeaf(frontier, i, entryHash(jws)).frontier;
    return { size: entries.length, root: rootOf(frontier) };
  }

  checkpoint(signer: Signer = this.emitter.signer, origin: string = ORIGIN): string {
    return signCheckpoint({ origin, ...this.head() }, signer);
  }

  verify(over: Partial<Parameters<typeof verifyLog>[0]> = {}): Promise<LogReport> {
    return verifyLog({ entries: this.entries, checkpoint: this.checkpoint(), owner: this.pin, ...over });
  }
}

export function outcome(actionEntry: string, change: object): EntryPayload {
  return {
    v: 1,
    type: "outcome",
    at: AT,
    action: "",
    attempt: 1,
    outcome: "done",
    code: "ok",
    content: { result: digest("result") },
    links: { action: actionEntry },
    ...change,
  };
}

export function manifestOf(
  keys: { issuer: PublicJwk; enforcer: PublicJwk },
  change: Partial<Manifest> = {},
): Manifest {
  return {
    v: 1,
    seq: 1,
    at: AT,
    origin: ORIGIN,
    issuers: [{ iss: "https://issuer.example", jwk: keys.issuer }],
    enforcers: [{ jwk: keys.enforcer }],
    approvers: [],
    revokers: [],
    witnesses: [],
    ...change,
  };
}

export async function emitterOf(
  enforcer: Signer,
  over: { origin?: string; from?: number; until?: number } = {},
): Promise<Emitter> {
  const signer = await key();
  const request = { jwk: signer.jwk, origin: ORIGIN, from: NOW - 60, until: NOW + 3600, ...over };
  return { signer, certificate: await certifyEntryKey(request, enforcer), seq: 0 };
}

/** Every text that differs from `text` in one character, another of the same alphabet where it has one. */
export function* flips(text: string): Generator<string> {
  for (let i = 0; i < text.length; i++) {
    const swapped = text[i] === "A" ? "B" : "A";
    yield text.slice(0, i) + swapped + text.slice(i + 1);
  }
}

/** A random salt. */
export function salt(): string {
  return toBase64url(randomBytes(32));
}
