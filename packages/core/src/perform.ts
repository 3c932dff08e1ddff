import { FormatError, type Json } from "@behest/jws";
import { type Arguments, type Place, freeze, placeOf } from "./action.ts";
import { toolLabel } from "./label.ts";
import { type AmbientSession, ambient } from "./ambient.ts";
import { type Ended, runBody } from "./body.ts";
import { decide } from "./checks/check.ts";
import { recordDenial } from "./denial.ts";
import { type Code, denied } from "./error.ts";
import type { LiveSession } from "./live.ts";
import { type Draft, type Prepared, actionEntry, kept, outcomeEntry, prepare } from "./record.ts";
import { type ActionSpan, actionSpan } from "./span.ts";
import type { BeginResult, Placed } from "./store/types.ts";
import type { Outcome, Verdict } from "./types.ts";

/** A tool call as an adapter hands it on. */
export interface Call<T> {
  readonly tool: string;
  /** Parsed, of any type: what is not JSON is refused. */
  readonly args: unknown;
  readonly callId?: string | undefined;
  readonly turn?: string | undefined;
  /** The tool itself: its profile is found by identity. */
  readonly definition?: object | undefined;
  readonly codec?: Codec<T> | undefined;
  /** The framework's own signal, joined with the session's. */
  readonly signal?: AbortSignal | undefined;
}

/** To and from JSON, for results that are not. `undefined`: this one cannot be replayed. */
export interface Codec<T> {
  encode(value: T): Json | undefined;
  decode(json: Json): T;
}

export type Execute<T> = (args: Json, options: { signal: AbortSignal }) => Promise<T>;

/** authorize → begin → body → finish. Rejects with a BehestError where nothing was started. */
export async function perform<T>(
  session: AmbientSession,
  call: Call<T>,
  execute: Execute<T>,
): Promise<Outcome<T>> {
  const place = placeOf(session, call);
  const span = actionSpan(session, toolLabel(call.tool, session.tools), place.callId);
  return span.enter(async () => {
    const { draft, args } = judge(session, call, place);
    if (draft.verdict.verdict === "deny" || !args) throw await recordDenial(session, draft, span);
    try {
      return await start(session, call, { draft, args, span, execute });
    } catch (error) {
      span.end((error as { code?: string }).code ?? "error");
      throw error;
    }
  });
}

function judge<T>(session: LiveSession, call: Call<T>, place: Place): { draft: Draft; args?: Arguments } {
  const { tool, definition } = call;
  const at = session.deployment.clock();
  let args: Arguments;
  try {
    args = freeze(call.args);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const message = `${toolLabel(tool, session.tools)}: its parsed arguments are not JSON, so what runs could not be what was decided on.`;
    const verdict: Verdict = {
      verdict: "deny",
      findings: [{ check: "arguments", code: "args_not_json", message }],
    };
    return { draft: { place, tool, text: "args_not_json", class: session.classOf(tool, null), verdict, at } };
  }
  const actionClass = session.classOf(tool, args.value, definition);
  const verdict = decide({ session, tool, args: args.value, class: actionClass, now: at });
  return { draft: { place, tool, text: args.text, class: actionClass, verdict, at }, args };
}

interface Started<T> {
  readonly draft: Draft;
  readonly args: Arguments;
  readonly span: ActionSpan;
  readonly execute: Execute<T>;
}

async function start<T>(session: AmbientSession, call: Call<T>, s: Started<T>): Promise<Outcome<T>> {
  const { draft, span } = s;
  const { deployment } = session;
  const prepared = await prepare(session, draft);
  const credential = await deployment.credentials?.(draft.tool, session);
  const about = { credential: credential?.name, trace: span.trace };
  let attempt = 1;
  let begun = await begin(session, prepared, { attempt, ...about });
  if (begun.begun === "retry")
    begun = await begin(session, prepared, { attempt: (attempt = begun.attempt), ...about });
  if (begun.begun !== "started") {
    const replayed = replay(session, call, draft, begun);
    span.end();
    return replayed;
  }
  const { hash, head } = begun.placed!;
  session.root.denials = 0;
  span.prove({ action: draft.place.id, verdict: "permit", entry: hash, head });

  const stretch = ambient.getStore()?.stretch;
  const { turn, callId, ordinal } = draft.place;
  const inside = { turn, callId, ordinal, nested: 0, ...(credential && { credential: credential.value }) };
  const frame = { session, ...(stretch && { stretch }), call: inside };
  const signal = call.signal ? AbortSignal.any([session.signal, call.signal]) : session.signal;
  const from = deployment.clock();
  const ended = await runBody(frame, signal, () => s.execute(s.args.value, { signal }));
  return finish(session, call, { draft, span, attempt, from, action: begun.placed! }, ended);
}

function begin(
  session: LiveSession,
  prepared: Prepared,
  about: { attempt: number; credential: string | undefined; trace: ActionSpan["trace"] },
): Promise<BeginResult> {
  const { draft } = prepared;
  return session.deployment.engine.begin({
    action: draft.place.id,
    args: session.vault.name("args", draft.tool, draft.text),
    attempt: about.attempt,
    repeatable: draft.class.effect === "read",
    expires: session.expires,
    ...actionEntry(session, prepared, about),
  });
}

/** What a call gets that does not start: the recorded outcome, or the reason. */
function replay<T>(session: LiveSession, call: Call<T>, draft: Draft, begun: BeginResult): Outcome<T> {
  const label = toolLabel(draft.tool, session.tools);
  switch (begun.begun) {
    case "refused":
      throw denied(
        begun.code,
        begun.code === "delegation_expired"
          ? "the delegation has expired."
          : `${label}: this call was made before with other arguments.`,
      );
    case "running":
      throw denied("action_running", `${label}: this very call is running elsewhere.`);
    case "ended": {
      if (begun.outcome === "unknown")
        throw denied(
          "outcome_unknown",
          `${label}: it was started and nobody knows how it ended; it is not run again.`,
        );
      if (begun.outcome !== "done")
        throw denied(
          "already_done",
          `${label}: this very call ran before and ${begun.outcome === "failed" ? "failed" : "was aborted"}; it is not run again.`,
        );
      if (!begun.result)
        throw denied("already_done", `${label}: this very call has been done; its result is no longer kept.`);
      const text = session.vault.open(draft.place.id, "result", begun.result);
      return { outcome: "done", value: decode(text, call.codec) };
    }
    default:
      throw new TypeError(`begin answered ${begun.begun}`);
  }
}

interface Running {
  readonly draft: Draft;
  readonly span: ActionSpan;
  readonly attempt: number;
  /** ms since the epoch. */
  readonly from: number;
  readonly action: Placed;
}

async function finish<T>(
  session: LiveSession,
  call: Call<T>,
  r: Running,
  ended: Ended<T>,
): Promise<Outcome<T>> {
  const { engine, clock, keep } = session.deployment;
  const { id } = r.draft.place;
  const text = ended.outcome === "done" ? encode(ended.value, call.codec) : undefined;
  const result =
    text === undefined ? undefined : kept(session, id, "result", text, keep ? undefined : session.expires);
  const code = CODES[ended.outcome];
  const now = clock();
  const finished = await engine.finish({
    action: id,
    attempt: r.attempt,
    outcome: ended.outcome,
    code,
    entry: outcomeEntry(
      {
        action: id,
        attempt: r.attempt,
        outcome: ended.outcome,
        code,
        started: new Date(r.from).toISOString(),
        ...(ended.outcome !== "unknown" && { ended: new Date(now).toISOString() }),
        content: { ...(result && { result: result.id }) },
        links: { action: r.action.hash },
      },
      now,
    ),
    ...(result && { content: [result], result: result.id }),
  });
  if (finished.finished === "late") {
    r.span.end("outcome_unknown");
    throw denied(
      "outcome_unknown",
      `${toolLabel(r.draft.tool, session.tools)}: this process was away for too long; what it did is recorded as unknown.`,
    );
  }
  r.span.end(ended.outcome === "done" ? undefined : code);
  return ended.outcome === "done" ? ended : { ...ended, code };
}

const CODES: { readonly [word in Ended<unknown>["outcome"]]: Code } = {
  done: "ok",
  failed: "tool_failed",
  aborted: "aborted",
  unknown: "outcome_unknown",
};

/** Canonical text of a result, "" for none; undefined where it has no JSON form. */
function encode<T>(value: T, codec: Codec<T> | undefined): string | undefined {
  try {
    const json = codec ? codec.encode(value) : (value as Json | undefined);
    if (json === undefined) return codec ? undefined : "";
    return freeze(json).text;
  } catch {
    return undefined;
  }
}

function decode<T>(text: string, codec: Codec<T> | undefined): T {
  if (text === "") return undefined as T;
  const json = JSON.parse(text) as Json;
  return codec ? codec.decode(json) : (json as T);
}
