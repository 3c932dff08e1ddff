import { type Signer, sha256Text } from "@behest/jws";
import { signCut, targetOfSubject } from "@behest/provenance";
import { BehestError } from "../error.ts";
import { isOver } from "../revocation/span.ts";
import type { SignedCut } from "../types.ts";
import { VERIFICATION, cuttingOf } from "./event.ts";
import { type Accepted, type PollOptions, poll } from "./poll.ts";
import { bodyOf, checkPost } from "./posted.ts";
import { type Handler, Refusal, answering, warn } from "./refusal.ts";
import { type Subject, isSubject } from "./subject.ts";
import { type Known, type Signal, readSignal, refuse } from "./token.ts";
import { type Principal, type Transmitter, keyOf } from "./transmitter.ts";

export interface SignalReceiverOptions {
  /** One for each `iss`. */
  readonly transmitters: readonly Transmitter[];
  /** Signs the cuts. */
  readonly revoker: Signer;
  /** Takes a cut in, such as `submitTo(…)`, or `behest.revoke` of a process that runs no agents. */
  readonly submit: (cut: SignedCut) => Promise<void>;
  /** ms that a pushed body may take to come in. Default 10,000. */
  readonly timeout?: number;
  /** ms since the epoch; default `Date.now`. */
  readonly clock?: () => number;
}

/** Takes in what identity providers say of their accounts (OpenID Shared Signals Framework 1.0). */
export interface SignalReceiver {
  /** Where transmitters push to (RFC 8935): 202 once what a token cuts is durable, 400 with `err` for one that is refused. */
  readonly push: Handler;
  /** Asks a transmitter for what it keeps (RFC 8936), until the signal aborts. Throws `config_invalid`. */
  poll(options: PollOptions): Promise<void>;
}

/** Tokens that are remembered. One that was forgotten cuts the same again, to the same date: that changes nothing. */
const REMEMBERED = 10_000;

/**
 * A receiver of signals. CAEP's `session-revoked` and `credential-change` and RISC's `account-disabled`,
 * `account-purged` and older `sessions-revoked` cut the principal they are about, if their transmitter speaks for its issuer; other events are
 * acknowledged and change nothing. It holds a revoker's key, so it runs on the revoker's side and never in a process
 * that runs agents. Throws `config_invalid`.
 */
export function signalReceiver(options: SignalReceiverOptions): SignalReceiver {
  const { transmitters, timeout, clock = Date.now } = options;
  const known = new Map<string, Known>();
  for (const transmitter of transmitters) {
    if (known.has(transmitter.iss))
      throw new BehestError("config_invalid", "config_invalid: transmitters: two of one iss.");
    known.set(transmitter.iss, { transmitter, key: keyOf(transmitter) });
  }
  const taken = new Map<string, Promise<void>>();
  const accept = async (token: string): Promise<Accepted> => {
    const now = Math.floor(clock() / 1000);
    const signal = await readSignal(token, known, now);
    // Not by its id: one that a transmitter gives twice would take the second cut away.
    const key = sha256Text(token);
    const before = taken.get(key);
    const taking = before ?? take(signal, options, now);
    if (!before) {
      taken.set(key, taking);
      if (taken.size > REMEMBERED) taken.delete(taken.keys().next().value!);
    }
    // What was not taken in has to be sent again.
    await taking.catch((error: unknown) => {
      taken.delete(key);
      throw error;
    });
    return { jti: signal.jti, fresh: !before };
  };
  return {
    push: answering(async (request) => {
      checkPost(request);
      await accept(await bodyOf(request, { type: "application/secevent+jwt", timeout }));
      return new Response(null, { status: 202, headers: { "cache-control": "no-store" } });
    }),
    poll: (how) => poll(how, accept),
  };
}

async function take(
  signal: Signal,
  { revoker, submit }: Pick<SignalReceiverOptions, "revoker" | "submit">,
  now: number,
): Promise<void> {
  const { from, events } = signal;
  for (const [type, { state }] of events) {
    if (type !== VERIFICATION) continue;
    const expected = state === undefined || typeof state === "string";
    const { verification = (one) => one === undefined } = from;
    if (!expected || !(await verification(state)))
      refuse("invalid_state", "no verification of this state was asked for");
  }
  const cuts: (readonly [target: Principal, of: { readonly reason: string; readonly at: number }])[] = [];
  for (const { name, at, subject } of cuttingOf(signal, now)) {
    if (!isSubject(subject)) return refuse("invalid_request", "there is no sub_id with its format");
    const target = await principalOf(subject, from);
    if (!target) warn(`a signal of ${from.iss} is about nobody who is known here; nothing was cut`);
    else if (!from.speaksFor.includes(target.issuer)) {
      warn(`${from.iss} sent a signal about a principal of an issuer that it does not speak for`);
      throw new Refusal(400, "access_denied", "not the transmitter's to revoke");
      // Asking for it again would change nothing.
    } else if (isOver({ target, at, signed: at }, now))
      warn(`a signal of ${from.iss} is so old that nothing it concerns can still be valid; nothing was cut`);
    else cuts.push([target, { reason: `${name}, by ${from.iss}`, at }]);
  }
  for (const [target, of] of cuts) await submit(await signCut(target, of, revoker));
}

/** A `complex` subject is narrower than its `user`, by what delegations do not have: a device, a login. */
async function principalOf(subject: Subject, { principal }: Transmitter): Promise<Principal | undefined> {
  const told = await principal?.(subject);
  if (told) return { issuer: told.issuer, principal: told.principal };
  const target = targetOfSubject(subject.format === "complex" ? (subject["user"] ?? null) : subject);
  return target && "principal" in target && target.issuer !== undefined
    ? { principal: target.principal, issuer: target.issuer }
    : undefined;
}
