import type { CutTarget, Manifest, RevocationEntry } from "@behest/provenance";
import { entryText } from "../record.ts";
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
  const ids = await idsOf(engine, manifest, admitted.cut.target);
  for (const scope of admitted.scopes) await engine.append(append(admitted, scope, ids, clock()));
}

function append(
  { cut, digest, revoker }: Admitted,
  scope: Scope,
  ids: readonly string[],
  now: number,
): Append {
  const { before } = spanOf(cut);
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
    v: 1,
  };
  return { entry: entryText(entry), once: `${TAKEN}${digest}:${scope}` };
}

/** The digest of the cut that was taken in under this key. */
export function digestOf(key: string): string {
  return key.slice(TAKEN.length, key.indexOf(":", TAKEN.length));
}

function kindOf(target: CutTarget): RevocationEntry["target"] {
  for (const kind of ["principal", "agent", "holder", "delegation"] as const) if (kind in target) return kind;
  return "tenant";
}

/** A principal is named by its pseudonyms: of the issuer that the cut names, or of all whom the manifest trusts. */
async function idsOf(engine: Engine, { issuers }: Manifest, target: CutTarget): Promise<readonly string[]> {
  if ("holder" in target) return [target.holder];
  if ("delegation" in target) return [target.delegation];
  if (!("principal" in target)) return [];
  const { principal, issuer } = target;
  const names = new Set(issuer === undefined ? issuers.map(({ iss }) => iss) : [issuer]);
  const rows = await Promise.all([...names].map((iss) => engine.principal(iss, principal)));
  return rows.map(({ pseudonym }) => pseudonym).toSorted();
}
