import { setTimeout as sleep } from "node:timers/promises";
import { type Json, fromUtf8, parseJson, plainBody } from "@behest/jws";
import { BehestError } from "../error.ts";
import { Refusal, warn } from "./refusal.ts";
import { isObject } from "./subject.ts";

export interface PollOptions {
  /** https; where the transmitter keeps its tokens. */
  readonly url: string | URL;
  /** The `authorization` header, asked for before each request. */
  readonly authorization?: () => string | Promise<string>;
  /** Ends it. What was taken in is acknowledged first. */
  readonly signal: AbortSignal;
  /** Default: the global `fetch`. It must heed its signal. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/** Tokens asked for at once, each as large as may be pushed, and bytes of the answer for each. */
const MAX_EVENTS = 20;
const MAX_TOKEN = 104_858;
/** As many more are asked for as came and could not be taken in, so that they do not stand before others; at most. */
const MAX_HELD = 180;
/** ms that a transmitter may hold a request back until it has something. */
const LONG_POLL = 120_000;
/** ms for an answer that is not held back. */
const PROMPT = 5_000;
/**
 * ms between requests that brought nothing new, and between those that failed: twice as many each time, up to a minute;
 * up to some seconds where the transmitter is there, and may have other tokens.
 */
const PAUSE = 1_000;
const LONGEST = 60_000;
const LONGEST_HELD = 4_000;

/** A token that was taken in, now or before. */
export interface Accepted {
  readonly jti: string;
  readonly fresh: boolean;
}

/** What the next request says of the tokens of the one before. */
interface Said {
  readonly ack: string[];
  readonly setErrs: [jti: string, { readonly err: string; readonly description: string }][];
}

/**
 * RFC 8936, with long polling: a request goes on until there is something, and acknowledges what came before. The next
 * one follows at once, so that `moreAvailable` makes no difference.
 */
export async function poll(
  options: PollOptions,
  accept: (token: string) => Promise<Accepted>,
): Promise<void> {
  const { signal } = options;
  if (!URL.canParse(String(options.url)) || new URL(options.url).protocol !== "https:")
    throw new BehestError("config_invalid", "config_invalid: poll needs an https URL.");
  let said: Said = { ack: [], setErrs: [] };
  let [held, patient] = [0, true];
  for (let failures = 0; !signal.aborted;) {
    const from = performance.now();
    let [wait, longest] = [0, LONGEST];
    const late = AbortSignal.timeout(patient ? LONG_POLL : PROMPT);
    try {
      const terms = { maxEvents: MAX_EVENTS + Math.min(held, MAX_HELD), returnImmediately: !patient };
      const sets = await request(options, said, terms, AbortSignal.any([signal, late]));
      patient = true;
      const { fresh, failures: unable, ...next } = await takeAll(sets, accept);
      said = next;
      held = unable.length;
      longest = LONGEST_HELD;
      // One that cannot be taken in does not hold the others up.
      if (fresh || held === 0) failures = 0;
      if (held > 0) throw unable[0];
      // A transmitter that answers at once with nothing new is not asked in a loop.
      if (!fresh) wait = PAUSE - (performance.now() - from);
    } catch (error) {
      if (signal.aborted) break;
      // It has nothing, or is no longer there: one that answers at once tells.
      if (patient && late.aborted) {
        patient = false;
        continue;
      }
      if (failures++ === 0) warn("a transmitter could not be polled, or what it sent not taken in", error);
      wait = Math.min(PAUSE * 2 ** (failures - 1), longest);
    }
    if (wait > 0) await sleep(wait, undefined, { signal }).catch(() => {});
  }
  if (said.ack.length + said.setErrs.length === 0) return;
  const last = { maxEvents: 0, returnImmediately: true };
  await request(options, said, last, AbortSignal.timeout(PROMPT)).catch(() => {});
}

/** Takes tokens in. One that failed for a reason of ours is neither acknowledged nor refused: it comes again. */
async function takeAll(
  sets: { readonly [jti: string]: Json },
  accept: (token: string) => Promise<Accepted>,
): Promise<Said & { readonly fresh: boolean; readonly failures: readonly unknown[] }> {
  const said: Said = { ack: [], setErrs: [] };
  const failures: unknown[] = [];
  let fresh = false;
  for (const [jti, token] of Object.entries(sets)) {
    try {
      const accepted = await accept(typeof token === "string" ? token : "");
      if (accepted.jti !== jti) throw new Refusal(400, "invalid_request", "its jti is another");
      said.ack.push(jti);
      fresh ||= accepted.fresh;
    } catch (error) {
      if (error instanceof Refusal && error.status < 500)
        said.setErrs.push([jti, { err: error.err, description: error.message }]);
      else failures.push(error);
    }
  }
  return { ...said, fresh, failures };
}

async function request(
  { url, authorization, fetch = globalThis.fetch }: PollOptions,
  { ack, setErrs }: Said,
  terms: { readonly maxEvents: number; readonly returnImmediately: boolean },
  signal: AbortSignal,
): Promise<{ readonly [jti: string]: Json }> {
  const headers = {
    "content-type": "application/json",
    accept: "application/json",
    ...(authorization && { authorization: await authorization() }),
  };
  const response = await fetch(String(url), {
    method: "POST",
    headers,
    body: JSON.stringify({ ...terms, ack, setErrs: Object.fromEntries(setErrs) }),
    redirect: "manual",
    signal,
  });
  const answer = parseJson(fromUtf8(await plainBody(response, MAX_TOKEN * Math.max(1, terms.maxEvents))));
  const sets = isObject(answer) ? answer["sets"] : undefined;
  if (!isObject(sets)) throw new TypeError("the answer holds no sets");
  return sets;
}
