import { randomBytes, toBase64url } from "@behest/jws";
import { type ErasureEntry, parseEntry, parsePayload } from "@behest/provenance";
import type { Deployment } from "../deployment.ts";
import { BehestError } from "../error.ts";
import { entryAt } from "../record/entry-at.ts";
import { entryText } from "../record/record.ts";
import { HOLD, RELEASE } from "../store/erasure.ts";
import { type Reason, committed } from "./reason.ts";

export interface HoldRequest {
  /** A subject; absent: everybody. */
  readonly principal?: string;
  readonly issuer?: string;
  /** Only a commitment to it is recorded. */
  readonly reason: string;
}

/** A legal hold: until it is released, nothing of these principals is erased. */
export interface Hold {
  /** Of its entry, by which it is released. */
  readonly index: number;
  /** ms since the epoch. */
  readonly at: number;
  /** Absent: everybody. */
  readonly principals?: readonly { readonly issuer: string; readonly subject: string }[];
}

export interface Holds {
  /** Throws `principal_unknown`, `principal_erased`. */
  place(request: HoldRequest): Promise<Hold & { readonly reason: Reason }>;
  /** Throws `hold_missing`. */
  release(index: number, options: { readonly reason: string }): Promise<{ readonly reason: Reason }>;
  /** Those in force, in log order. */
  list(): Promise<readonly Hold[]>;
}

export function holdsOf({ engine, clock }: Deployment): Holds {
  const at = (): string => new Date(clock()).toISOString();

  /** Undefined where it was released, or is none. */
  const holdAt = async (index: number): Promise<{ hold: Hold; hash: string } | undefined> => {
    const [jws] = await engine.entries(index, 1);
    const { hash, payload } = parseEntry(jws!);
    const entry = parsePayload(payload);
    if (entry.type !== "erasure" || entry.kind !== "hold") return undefined;
    if ((await engine.recorded(RELEASE + hash)).length > 0) return undefined;
    const known = await Promise.all((entry.principals ?? []).map((one) => engine.subject(one)));
    const principals = known.flatMap((who) => (who ? [{ issuer: who.issuer, subject: who.subject }] : []));
    const hold = { index, at: Date.parse(entry.at), ...(entry.principals && { principals }) };
    return { hold, hash };
  };

  const list = async (): Promise<readonly Hold[]> => {
    const found = await Promise.all((await engine.recorded(HOLD)).map(holdAt));
    return found.flatMap((one) => (one ? [one.hold] : [])).toSorted((a, b) => a.index - b.index);
  };

  return {
    async place({ principal, issuer, reason }) {
      const named = principal === undefined ? undefined : await engine.named(principal);
      const principals = named
        ?.filter((one) => issuer === undefined || one.issuer === issuer)
        .map(({ pseudonym }) => pseudonym)
        .toSorted();
      if (principals?.length === 0)
        throw new BehestError("principal_unknown", "principal_unknown: nothing is kept of such a principal.");
      const opening = committed(reason);
      const entry: ErasureEntry = {
        at: at(),
        content: { reason: opening.commitment },
        kind: "hold",
        links: {},
        ...(principals && { principals }),
        type: "erasure",
        v: 1,
      };
      const once = HOLD + toBase64url(randomBytes(16));
      // Refused where it was erased meanwhile: nobody is told that what is gone is kept.
      const owner = principals && { principal: principals[0]! };
      const { index } = await engine.append({ entry: entryText(entry), once, ...owner });
      const placed = await holdAt(index);
      return { ...placed!.hold, reason: opening.reason };
    },

    async release(index, { reason }) {
      const isOne = (await entryAt(engine, index))?.type === "erasure";
      const found = isOne ? await holdAt(index) : undefined;
      if (!found)
        throw new BehestError("hold_missing", "hold_missing: no hold in force has its entry at this index.");
      const opening = committed(reason);
      const entry: ErasureEntry = {
        at: at(),
        content: { reason: opening.commitment },
        kind: "release",
        links: { hold: found.hash },
        type: "erasure",
        v: 1,
      };
      await engine.append({ entry: entryText(entry), once: RELEASE + found.hash });
      return { reason: opening.reason };
    },

    list,
  };
}
