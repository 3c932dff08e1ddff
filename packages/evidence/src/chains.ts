import type { VerifiedDelegation } from "@behest/delegation";
import { CodedError } from "@behest/jws";
import {
  type ActionEntry,
  type DelegationEntry,
  type EntryPayload,
  type Issuer,
  type Manifest,
  checkChange,
  readTrust,
  speaksFor,
  trustHash,
} from "@behest/provenance";
import { verifyUnder } from "./issuer.ts";
import type { EvidenceFinding } from "./report.ts";

/** What entries say in place of a tool's name that is none: spaces in it, or too long. */
const UNNAMED = "(unnamed)";

/** Where tokens and names come from; nothing of it is believed. */
export interface ChainSource {
  /** Compact tokens, root first, of a delegation by its leaf hash; undefined where it is not shown or erased. */
  chain(leaf: string): Promise<{ readonly chain: readonly string[] } | undefined>;
  subject(pseudonym: string): Promise<{ readonly issuer: string; readonly subject: string } | undefined>;
}

/** A delegation that an entry can link to; what its chain says where that was proven. */
export interface KnownDelegation {
  readonly index: number;
  readonly entry: DelegationEntry;
  readonly verified?: VerifiedDelegation;
}

/**
 * What the log alone cannot show: that the chain of each delegation, where the store still has it, verifies as of
 * its entry's time under the issuers trusted then, says what its entry says, and names the tools that were
 * permitted under it. Entries are taken in log order; whether they are proven is for `verifyLog` to say.
 */
export class Chains {
  readonly findings: EvidenceFinding[] = [];
  /** Indexes of the delegations whose chain was judged, well or ill. */
  readonly judged: Set<number> = new Set();
  /** Principals of the delegations whose chain is not there, by index. */
  readonly gone: Map<number, string> = new Map();
  readonly #source: ChainSource;
  readonly #owner: string;
  /** By entry hash. */
  readonly #known = new Map<string, KnownDelegation>();
  #manifest: Manifest | undefined;
  /** Of its JWS, which the next version names. */
  #hash = "";
  /** Who may speak from the manifest's own entry on, for however long. */
  #issuers: readonly Issuer[] = [];
  /** Of delegations, by the hash of their leaf, under that manifest. */
  readonly #spoken = new Map<string, boolean>();

  constructor(source: ChainSource, owner: string) {
    this.#source = source;
    this.#owner = owner;
  }

  /** In force after the entries read so far. */
  get manifest(): Manifest | undefined {
    return this.#manifest;
  }

  /** By the hash of its entry, of those read so far. */
  delegation(entry: string | undefined): KnownDelegation | undefined {
    return entry === undefined ? undefined : this.#known.get(entry);
  }

  async read(
    index: number,
    { hash, payload }: { readonly hash: string; readonly payload: EntryPayload },
  ): Promise<void> {
    if (payload.type === "trust") await this.#takeUp(index, payload.manifest);
    else if (payload.type === "delegation") {
      const verified = await this.#delegation(index, payload);
      this.#known.set(hash, { index, entry: payload, ...(verified && { verified }) });
    } else if (payload.type === "action" && payload.verdict === "permit") this.#action(index, payload);
  }

  /** Sessions go on in what an issuer has signed before, unless it may not speak any more when the version is taken up. */
  async #takeUp(index: number, jws: string | undefined): Promise<void> {
    const manifest = jws === undefined ? undefined : await this.#manifestIn(jws).catch(refusedIsAbsent);
    if (!manifest) return;
    this.#manifest = manifest;
    this.#hash = trustHash(jws!);
    this.#issuers = manifest.issuers.filter(({ until = Number.POSITIVE_INFINITY }) => until > index + 1);
    this.#spoken.clear();
  }

  #isSpokenFor({ leaf, issuer, issuerKey, principal, tenant, consent }: VerifiedDelegation): boolean {
    const known = this.#spoken.get(leaf.hash);
    if (known !== undefined) return known;
    const said = { subject: principal, tenant, rung: consent.rung };
    const spoken = speaksFor(this.#issuers, { iss: issuer, key: issuerKey }, said);
    this.#spoken.set(leaf.hash, spoken);
    return spoken;
  }

  /** Undefined for one that is not the next: `verifyLog` says so, and nobody is judged by it. */
  async #manifestIn(jws: string): Promise<Manifest | undefined> {
    const next = await readTrust(jws, this.#owner);
    const before = this.#manifest;
    if (!before) return next;
    if (next.seq !== before.seq + 1 || next.prev !== this.#hash || next.origin !== before.origin)
      return undefined;
    await checkChange(before, next);
    return next;
  }

  async #delegation(index: number, payload: DelegationEntry): Promise<VerifiedDelegation | undefined> {
    const manifest = this.#manifest;
    const chain = await this.#chain(index, payload);
    if (!chain || !manifest) return undefined;
    const now = Math.floor(Date.parse(payload.at) / 1000);
    let verified: VerifiedDelegation;
    try {
      verified = await verifyUnder(manifest, chain, { index, now, offline: true });
    } catch (error) {
      if (!CodedError.isInstance(error)) throw error;
      // Keys at a URL are not asked for; `verifyLog` says that they are not shown.
      const elsewhere =
        error.code === "issuer_untrusted" && manifest.issuers.some(({ jwks }) => jwks !== undefined);
      if (!elsewhere) this.#fail(index, error.code, error.message);
      return undefined;
    }
    const different = await this.#differences(payload, verified);
    if (different.length > 0)
      this.#fail(index, "delegation_mismatch", `its token says otherwise: ${different.join(", ")}`);
    this.judged.add(index);
    return different.length > 0 ? undefined : verified;
  }

  /** A chain is sealed: where it does not open, somebody has changed it. */
  async #chain(index: number, { leaf, principal }: DelegationEntry): Promise<readonly string[] | undefined> {
    try {
      const found = await this.#source.chain(leaf);
      if (!found) this.gone.set(index, principal);
      return found?.chain;
    } catch (error) {
      if (CodedError.isInstance(error)) throw error;
      this.#fail(index, "content_altered", "its sealed chain was altered");
      return undefined;
    }
  }

  async #differences(payload: DelegationEntry, verified: VerifiedDelegation): Promise<string[]> {
    const { claims, leaf, issuer, issuerKey, principal } = verified;
    const { parent } = payload.links;
    const who = await this.#source.subject(payload.principal);
    const same = {
      jti: payload.jti === leaf.jti,
      leaf: payload.leaf === leaf.hash,
      holder: payload.holder === leaf.jwk.x,
      depth: payload.depth === leaf.depth,
      exp: payload.exp === String(leaf.exp),
      iat: payload.iat === String(leaf.iat),
      issuer: payload.issuer === (leaf.depth === 0 ? issuerKey : undefined),
      parent:
        (parent === undefined ? undefined : (this.#known.get(parent)?.entry.leaf ?? null)) ===
        claims.at(-2)?.hash,
      principal: who?.issuer === issuer && who.subject === principal,
    };
    return Object.entries(same).flatMap(([name, equal]) => (equal ? [] : [name]));
  }

  #action(index: number, { tool, links, enforce }: ActionEntry): void {
    const verified = this.delegation(links.delegation)?.verified;
    if (!verified) return;
    if (!this.#isSpokenFor(verified))
      return this.#fail(
        index,
        "issuer_not_trusted",
        "permitted when its issuer could no longer speak for it",
      );
    if (Object.hasOwn(verified.tools, tool)) return;
    // What was granted stands there by its name, whatever that is.
    if (enforce !== "shadow")
      return this.#fail(index, "tool_not_granted", "permitted, but its delegation does not name the tool");
    const [code, message] =
      tool === UNNAMED
        ? ["tool_not_shown", "its entry does not name the tool, so its delegation cannot be asked"]
        : ["tool_not_granted", "its delegation does not name the tool, and nothing was enforced"];
    this.findings.push({ index, check: "delegation", state: "not_shown", code, message });
  }

  #fail(index: number, code: string, message: string): void {
    this.judged.add(index);
    this.findings.push({ index, check: "delegation", state: "failed", code, message });
  }
}

function refusedIsAbsent(error: unknown): undefined {
  if (!CodedError.isInstance(error)) throw error;
  return undefined;
}
