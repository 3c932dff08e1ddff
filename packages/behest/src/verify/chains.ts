import type { Reader } from "@behest/core";
import type { AatTools, VerifiedDelegation } from "@behest/delegation";
import { CodedError } from "@behest/jws";
import { type ActionEntry, type DelegationEntry, type Manifest, readTrust } from "@behest/provenance";
import { verifyUnder } from "../issuer.ts";
import type { ReadEntry } from "./evidence.ts";
import type { Finding } from "./report.ts";

/** What entries say in place of a tool's name that is none: spaces in it, or too long. */
const UNNAMED = "(unnamed)";

/** A delegation that an entry can link to; its tools where its chain was proven. */
interface Known {
  readonly leaf: string;
  readonly tools?: AatTools;
}

/**
 * What the log alone cannot show: that the chain of each delegation, where the store still has it, verifies as of
 * its entry's time under the issuers trusted then, says what its entry says, and names the tools that were
 * permitted under it. What was erased is gone, and only that. Entries are taken in log order; whether they are proven is for `verifyLog` to say.
 */
export class Chains {
  readonly findings: Finding[] = [];
  /** Indexes of the delegations whose chain was judged, well or ill. */
  readonly judged: Set<number> = new Set();
  readonly #reader: Pick<Reader, "chain" | "subject">;
  readonly #owner: string;
  /** By entry hash. */
  readonly #known = new Map<string, Known>();
  /** Principals of the delegations whose chain is gone, by index. */
  readonly #gone = new Map<number, string>();
  /** Where the erasure of each principal stands that is named by one. */
  readonly #erasures = new Map<string, number>();
  #manifest: Manifest | undefined;

  constructor(reader: Pick<Reader, "chain" | "subject">, owner: string) {
    this.#reader = reader;
    this.#owner = owner;
  }

  async read(index: number, { hash, payload }: ReadEntry): Promise<void> {
    if (payload.type === "trust")
      this.#manifest = (await this.#manifestIn(payload.manifest)) ?? this.#manifest;
    else if (payload.type === "delegation") {
      const tools = await this.#delegation(index, payload);
      this.#known.set(hash, { leaf: payload.leaf, ...(tools && { tools }) });
    } else if (payload.type === "action" && payload.verdict === "permit") this.#action(index, payload);
    else if (payload.type === "erasure" && payload.kind === "principal")
      for (const principal of payload.principals) this.#erasures.set(principal, index);
  }

  /**
   * At the end of the log. A chain lies in the store until its principal is erased: one that is gone without is
   * missing, and a principal whom a proven entry (`erased`) names is erased in fact.
   */
  async finish(erased: readonly string[]): Promise<void> {
    for (const [index, principal] of this.#gone)
      if (!erased.includes(principal)) {
        const message = "its chain is gone from the store, and no entry says that it was erased";
        this.findings.push({
          index,
          check: "delegation",
          state: "missing",
          code: "content_missing",
          message,
        });
      }
    for (const principal of erased)
      if (await this.#reader.subject(principal)) {
        const index = this.#erasures.get(principal) ?? 0;
        const message = "whom it names, and the key, are still in the store: an older copy was put back?";
        this.findings.push({ index, check: "erasure", state: "failed", code: "not_erased", message });
      }
  }

  async #manifestIn(jws: string | undefined): Promise<Manifest | undefined> {
    return jws === undefined ? undefined : readTrust(jws, this.#owner).catch(refusedIsAbsent);
  }

  /** The tools of the proven chain. */
  async #delegation(index: number, payload: DelegationEntry): Promise<AatTools | undefined> {
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
    return verified.tools;
  }

  /** A chain is sealed: where it does not open, somebody has changed it. */
  async #chain(index: number, { leaf, principal }: DelegationEntry): Promise<readonly string[] | undefined> {
    try {
      const found = await this.#reader.chain(leaf);
      if (!found) this.#gone.set(index, principal);
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
    const who = await this.#reader.subject(payload.principal);
    const same = {
      jti: payload.jti === leaf.jti,
      leaf: payload.leaf === leaf.hash,
      holder: payload.holder === leaf.jwk.x,
      depth: payload.depth === leaf.depth,
      exp: payload.exp === String(leaf.exp),
      issuer: payload.issuer === (leaf.depth === 0 ? issuerKey : undefined),
      parent:
        (parent === undefined ? undefined : (this.#known.get(parent)?.leaf ?? null)) === claims.at(-2)?.hash,
      principal: who?.issuer === issuer && who.subject === principal,
    };
    return Object.entries(same).flatMap(([name, equal]) => (equal ? [] : [name]));
  }

  #action(index: number, { tool, links, enforce }: ActionEntry): void {
    const tools = this.#known.get(links.delegation ?? "")?.tools;
    if (!tools || Object.hasOwn(tools, tool)) return;
    if (tool === UNNAMED) {
      const message = "its entry does not name the tool, so its delegation cannot be asked";
      this.findings.push({ index, check: "delegation", state: "not_shown", code: "tool_not_shown", message });
    } else if (enforce === "shadow") {
      const message = "its delegation does not name the tool, and nothing was enforced";
      this.findings.push({
        index,
        check: "delegation",
        state: "not_shown",
        code: "tool_not_granted",
        message,
      });
    } else this.#fail(index, "tool_not_granted", "permitted, but its delegation does not name the tool");
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
