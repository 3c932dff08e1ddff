import { BehestError } from "../error.ts";

/** Something that a person should look at. It names the log, pseudonyms and ids, never a person, an argument or a key. */
export interface Alert {
  readonly v: 1;
  /**
   * `denials`: many in a short time on one principal's behalf. `break_glass`: an override was signed (`approved`) or an
   * action started on it (`used`). `verification_failed`: what was handed in or stored is not what somebody signed.
   */
  readonly event: "denials" | "break_glass" | "verification_failed";
  /** RFC 3339, UTC. */
  readonly at: string;
  /** The log's name. */
  readonly log: string;
  /** `denials`: of the last one. `verification_failed`: the error's code, `content_altered` or `witness_conflict`. */
  readonly code: string;
  /** How often since the last alert of the same kind about the same. */
  readonly count: number;
  /** Pseudonym, as the log has it. */
  readonly principal?: string;
  /** The last one concerned. */
  readonly session?: string;
  readonly tool?: string;
  /** Alerts before this one that were not delivered. */
  readonly lost?: number;
}

interface Common {
  /** From how many denials within how many seconds on one principal's behalf. Default: 10 within 60. */
  readonly denials?: { readonly count: number; readonly seconds: number };
}

/** Where alerts go: a URL (https, or http on this machine) that they are posted to as JSON, or a function. */
export type AlertOptions = Common &
  (
    | { readonly url: string; readonly send?: never }
    | { readonly send: (alert: Alert) => unknown; readonly url?: never }
  );

const MOST = 10_000;

/** Throws `config_invalid`. */
export function burstOf({ denials = { count: 10, seconds: 60 } }: Common): { count: number; ms: number } {
  const { count, seconds } = denials;
  if (!Number.isInteger(count) || count < 1 || count > MOST || !(seconds > 0 && seconds <= 86_400))
    throw new BehestError(
      "config_invalid",
      `config_invalid: alerts.denials has a count of 1 to ${MOST} and up to 86400 seconds.`,
    );
  return { count, ms: seconds * 1000 };
}
