import {
  type CutTarget,
  type Manifest,
  type RevocationEntry,
  parseEntry,
  parsePayload,
} from "@behest/provenance";
import { entryText } from "../record/record.ts";
import type { Append, Engine } from "../store/types.ts";
import type { Admitted } from "./admission.ts";
import type { Scope } from "./keys.ts";
import { spanOf } from "./span.ts";

/** Begins the keys under which cuts are taken into the log, each once. */
export const TAKEN = "revocation:";

/** Takes a cut into the log, one entry for each scope of its revoker. Names stay out of it. */
export async function record(
  {
    engine,
    manifest,
    clock,
  }: { readonly engine: Engine; readonly manifest: Manifest; readonly clock: () => number },
  admitted: Admitted,
): Promise<void> {
  const { digest, scopes } = admitted;
  if ((await engine.recorded(keyOf(digest))).length >= scopes.length) return;
  const ids = await idsOf(engine, manifest, admitted.cut.target);
  for (const scope of scopes) await engine.append(append(admitted, scope, ids, clock()));
}

function keyOf(digest: string, scope: string = ""): string {
  return `${TAKEN}${digest}:${scope}`;
}

function append(admitted: Admitted, scope: Scope, ids: readonly string[], now: number): Append {
  const { cut, digest, revoker } = admitted;
  const { before, until } = spanOf(cut);
  const entry: RevocationEntry = {
    at: new Date(now).toISOString(),
    ...(before !== undefined && { before: String(before) }),
    content: {},
    cut: digest,
    ids,
    links: {},
    revoker,
    scope,
    target: kindOf(cut.target),
    type: "revocation",
    ...(until !== undefined && { until: String(until) }),
    v: 1,
  };
  return { entry: entryText(entry), once: keyOf(digest, scope) };
}

/** Digests of the cuts that the log has taken in, with when each can concern nobody any more: seconds, or never. */
export async function recorded(engine: Engine): Promise<Recorded> {
  const found = new Map<string, number>();
  for (const index of await engine.recorded(TAKEN)) {
    const [jws] = await engine.entries(index, 1);
    const entry = jws === undefined ? undefined : parsePayload(parseEntry(jws).payload);
    if (entry?.type === "revocation") found.set(entry.cut, Number(entry.until ?? Number.POSITIVE_INFINITY));
  }
  return found;
}

export type Recorded = ReadonlyMap<string, number>;

function kindOf(target: CutTarget): RevocationEntry["target"] {
  for (const kind of ["principal", "agent", "holder", "delegation"] as const) if (kind in target) return kind;
  return "tenant";
}

/** A principal is named by its pseudonyms: of the issuer that the cut names, or of all whom the manifest trusts. */
async function idsOf(engine: Engine, { issuers }: Manifest, target: CutTarget): Promise<readonly string[]> {
  if ("holder" in target) return [target.holder];
  // Whoever issues chooses a jti: of one issuer's alone, the log cannot tell whose another one is.
  if ("delegation" in target) return target.issuer === undefined ? [target.delegation] : [];
  if (!("principal" in target)) return [];
  const { principal, issuer } = target;
  const names = new Set(issuer === undefined ? issuers.map(({ iss }) => iss) : [issuer]);
  const rows = await Promise.all([...names].map((iss) => engine.principal(iss, principal)));
  return rows.map(({ pseudonym }) => pseudonym).toSorted();
}
