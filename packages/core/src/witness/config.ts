import { type NamedKey, parseVkey } from "@behest/provenance";
import { BehestError } from "../error.ts";

/** A witness and where it is. */
export interface WitnessAt {
  /** Its submission prefix: `/add-checkpoint` is added to it. */
  readonly url: string;
  /** Its verifier key, as it prints it. */
  readonly vkey: string;
}

/** Who is shown the log's heads, and how often. */
export interface WitnessesConfig {
  readonly at: readonly WitnessAt[];
  /** A head is kept once so many of them have cosigned it. Default: all. */
  readonly need?: number;
  /** ms between two looks whether there is a new head. Default: 60,000. */
  readonly every?: number;
}

/** The same, read. */
export interface Witnesses {
  readonly list: readonly (NamedKey & { readonly url: string })[];
  readonly need: number;
  readonly every: number;
}

/** Throws `config_invalid`. */
export function witnessesOf(config: WitnessesConfig | undefined): Witnesses | undefined {
  if (!config) return undefined;
  const { at, need = at.length, every = 60_000 } = config;
  const list = at.map(read);
  const keys = new Set(list.map(({ jwk }) => jwk.x));
  if (keys.size !== list.length) throw invalid("names one key twice");
  if (!Number.isSafeInteger(need) || need < 1 || need > list.length)
    throw invalid(`needs between 1 and ${list.length}`);
  if (!(every > 0)) throw invalid("has an interval that is none");
  return { list, need, every };
}

function read({ url, vkey }: WitnessAt): Witnesses["list"][number] {
  const { protocol } = URL.parse(url) ?? {};
  if (protocol !== "https:" && protocol !== "http:") throw invalid("has a URL that is not http or https");
  try {
    const { type, name, jwk } = parseVkey(vkey);
    if (type === "witness") return { name, jwk, url: url.replace(/\/$/, "") };
  } catch (cause) {
    throw invalid("has a verifier key that cannot be read", cause);
  }
  throw invalid("has a verifier key of a log, not of a witness");
}

function invalid(why: string, cause?: unknown): BehestError {
  return new BehestError("config_invalid", `config_invalid: "witnesses" ${why}.`, { cause });
}
