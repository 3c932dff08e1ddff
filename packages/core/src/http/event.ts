import type { Json } from "@behest/jws";
import { isObject } from "./subject.ts";
import { type Signal, refuse } from "./token.ts";

const CAEP = "https://schemas.openid.net/secevent/caep/event-type/";
const RISC = "https://schemas.openid.net/secevent/risc/event-type/";
export const VERIFICATION = "https://schemas.openid.net/secevent/ssf/event-type/verification";

/**
 * Events that end what a person authorised (CAEP 1.0, 3.1 and 3.3; RISC 1.0, 2.2 and 2.3, and its older name for
 * CAEP's first).
 */
const CUTTING: ReadonlySet<string> = new Set([
  `${CAEP}session-revoked`,
  `${CAEP}credential-change`,
  `${RISC}account-disabled`,
  `${RISC}account-purged`,
  `${RISC}sessions-revoked`,
]);
const CHANGES: readonly unknown[] = ["create", "revoke", "update", "delete"];
/** Seconds: an event that is said to be older than that when it was signed was dated by mistake. */
const OLDEST = 86_400;

/** An event for which its principal is cut. */
export interface CuttingEvent {
  /** Last part of its type. */
  readonly name: string;
  /** Seconds since the epoch: what was authorised until then ends. */
  readonly at: number;
  /** Whom it is about. */
  readonly subject: Json | undefined;
}

/**
 * What of a signal cuts. A credential that was created ends nothing that others authorised. `event_timestamp` is the
 * date where it is one: not after the signature, not after `now` (seconds), nor a day before. Else `iat` is.
 */
export function cuttingOf({ events, iat, subject }: Signal, now: number): readonly CuttingEvent[] {
  const latest = Math.min(iat, now);
  return events.flatMap(([type, event]) => {
    if (!CUTTING.has(type)) return [];
    const name = type.slice(type.lastIndexOf("/") + 1);
    if (name === "credential-change") {
      const change = event["change_type"];
      if (!CHANGES.includes(change)) refuse("invalid_request", "change_type is none");
      if (change === "create") return [];
    }
    const at = dated(event["event_timestamp"], latest);
    return [{ name, at, subject: subject === undefined ? formerly(event["subject"]) : subject }];
  });
}

/**
 * A subject as it stood inside its event before there was `sub_id`, and as transmitters of that time still send it:
 * with a `subject_type`, such as `iss-sub`, in place of a `format`. What an ID token says of a person names it so too.
 */
function formerly(subject: Json | undefined): Json | undefined {
  if (!isObject(subject) || typeof subject["subject_type"] !== "string") return subject;
  const { subject_type: type, ...rest } = subject;
  const { iss, sub } = rest;
  if (typeof iss === "string" && typeof sub === "string") return { format: "iss_sub", iss, sub };
  return { ...rest, format: type.replaceAll("-", "_") };
}

function dated(stated: Json | undefined, latest: number): number {
  return typeof stated === "number" && stated <= latest && stated >= latest - OLDEST
    ? Math.floor(stated)
    : latest;
}
