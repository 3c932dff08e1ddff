import { retentionOf } from "@behest/provenance";
import type { Deployment } from "../deployment.ts";
import { BehestError } from "../error.ts";
import { entryText } from "../record/record.ts";
import type { Feed } from "../revocation/feed.ts";
import { type NamingCut, cutsNaming } from "./cuts-naming.ts";
import { endErased } from "./ended.ts";
import { type Reason, committed } from "./reason.ts";

export interface EraseRequest {
  /** The subject. */
  readonly principal: string;
  /** Whose word it is; absent: whoever asserts one of this name, and what was observed. */
  readonly issuer?: string;
  /** Why; only a commitment to it is recorded, and neither it nor its salt is kept. */
  readonly reason: string;
  /** Also what is younger than the trust manifest keeps; its entry says so. */
  readonly despiteRetention?: boolean;
  /** Also where a cut that is in force names the principal, and stays. */
  readonly keepCuts?: boolean;
}

/** What still names somebody who was erased. */
export type Remaining =
  /** A signed cut; `until`: seconds since the epoch. */
  | ({ readonly what: "cut" } & NamingCut)
  /** The trust manifest, as a subject that an issuer may assert: it is an entry of the log. */
  | { readonly what: "manifest" }
  /** What the database keeps for its own recovery: SQLite's journal was in use, and is emptied within moments or when the next process starts; PostgreSQL's is its operator's to vacuum. */
  | { readonly what: "journal" };

export interface Erasure {
  /** Of the entry. */
  readonly index: number;
  /** What entries name them by. */
  readonly principals: readonly { readonly issuer: string; readonly pseudonym: string }[];
  /** Something was younger than is kept. */
  readonly early: boolean;
  /** Opens the commitment in the entry: keep it, where it is to be shown. */
  readonly reason: Reason;
  readonly remains: readonly Remaining[];
}

/**
 * Destroys the key, the name and all sealed content of a principal, and records that. Throws `principal_unknown`,
 * `cut_in_force`, `on_hold`, `retained`.
 */
export async function erase(
  deployment: Deployment,
  feeds: readonly Feed[],
  request: EraseRequest,
): Promise<Erasure> {
  const { engine, clock } = deployment;
  const { principal, issuer, reason, despiteRetention = false, keepCuts = false } = request;
  const named = await engine.named(principal);
  const principals = named.filter((one) => issuer === undefined || one.issuer === issuer);
  if (principals.length === 0) throw refused("principal_unknown", "nothing is kept of such a principal");
  const seconds = Math.floor(clock() / 1000);
  const cuts = await cutsNaming(feeds, { principal, issuer }, seconds);
  const [last] = cuts.toSorted((a, b) => b.until - a.until);
  if (last && !keepCuts)
    throw refused(
      "cut_in_force",
      `a revocation names this principal, and has to, until ${timeOf(last.until * 1000)}. Erase then, or say that it may stay (keepCuts)`,
    );
  const opening = committed(reason);
  const pseudonyms = principals.map(({ pseudonym }) => pseudonym).toSorted();
  const draft = (early: boolean): string =>
    entryText({
      at: new Date(clock()).toISOString(),
      content: { reason: opening.commitment },
      ...(early && { early }),
      kind: "principal",
      links: {},
      principals: pseudonyms,
      type: "erasure",
      v: 1,
    });
  const done = await deployment.under(() =>
    engine.erase({
      principals: pseudonyms,
      entry: draft(false),
      retention: retentionOf(deployment.manifest),
      ...(despiteRetention && { early: draft(true) }),
    }),
  );
  if (done.erased === "refused") {
    if (done.code === "on_hold")
      throw refused("on_hold", "a legal hold is on this principal. Release it first");
    if (done.code === "retained")
      throw refused(
        "retained",
        `what was recorded of this principal is kept until ${timeOf(done.until)}. Erase then, or say that it is to go before (despiteRetention)`,
      );
    throw refused("principal_unknown", "it was erased meanwhile");
  }
  for (const pseudonym of pseudonyms) endErased(deployment, pseudonym);
  for (const feed of feeds) await feed.sweep?.();
  const isInManifest = deployment.manifest.issuers.some(
    ({ subjects }) => subjects !== "*" && subjects?.includes(principal),
  );
  return {
    index: done.placed.index,
    principals,
    early: done.early,
    reason: opening.reason,
    remains: [
      ...cuts.map((cut) => ({ what: "cut", ...cut }) as const),
      ...(isInManifest ? [{ what: "manifest" } as const] : []),
      ...(done.swept ? [] : [{ what: "journal" } as const]),
    ],
  };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

function refused(
  code: "principal_unknown" | "cut_in_force" | "on_hold" | "retained",
  why: string,
): BehestError {
  return new BehestError(code, `${code}: ${why}.`);
}
