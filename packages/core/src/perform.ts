import { type Arguments, placeOf } from "./action.ts";
import { toolLabel } from "./label.ts";
import { type AmbientSession, type EnclosingCall, ambient } from "./ambient.ts";
import { runBody } from "./body.ts";
import type { Call, Execute } from "./call.ts";
import type { Credentials } from "./deployment.ts";
import { recordDenial } from "./denial.ts";
import { finish } from "./finish.ts";
import { judge } from "./judge.ts";
import type { LiveSession } from "./live.ts";
import { resolveAsk } from "./ask.ts";
import { type Attempt, type Draft, type Prepared, actionEntry, argsKey, prepare } from "./record.ts";
import { replay } from "./replay.ts";
import { type ActionSpan, actionSpan } from "./span.ts";
import type { BeginResult } from "./store/types.ts";
import type { Outcome, Verdict } from "./types.ts";

/** authorize → begin → body → finish. Rejects with a BehestError where nothing was started. */
export async function perform<T>(
  session: AmbientSession,
  call: Call<T>,
  execute: Execute<T>,
): Promise<Outcome<T>> {
  const place = placeOf(session, call);
  const span = actionSpan(session, toolLabel(call.tool, session.tools), place.callId);
  return span.enter(async () => {
    try {
      const { draft, args } = judge(session, call, place);
      if (draft.verdict.verdict === "deny" || !args) throw await recordDenial(session, draft, span);
      if (draft.verdict.verdict === "permit")
        return await start(session, call, { draft, args, span, execute });
      const resolved = await resolveAsk(session, draft, span);
      if ("waiting" in resolved) throw resolved.waiting;
      if ("refused" in resolved) throw await recordDenial(session, resolved.refused, span);
      return await start(session, call, { ...resolved, args, span, execute });
    } catch (error) {
      span.end((error as { code?: string }).code ?? "error");
      throw error;
    }
  });
}

interface Started<T> {
  readonly draft: Draft;
  readonly args: Arguments;
  readonly span: ActionSpan;
  readonly execute: Execute<T>;
  /** What it starts on, where it was asked for. */
  readonly approvals?: readonly string[];
  readonly decisions?: number;
}

async function start<T>(session: AmbientSession, call: Call<T>, s: Started<T>): Promise<Outcome<T>> {
  const { draft, span } = s;
  const { deployment } = session;
  // Whatever could throw has to before something is begun that would then have no outcome.
  const signal = call.signal ? AbortSignal.any([session.signal, call.signal]) : session.signal;
  const credential = deployment.credentials && (await credentialFor(session, deployment.credentials, s));
  const prepared = await prepare(session, draft);
  const { approvals, decisions } = s;
  const about = { credential: credential?.name, trace: span.trace, approvals, decisions };
  let attempt = 1;
  let begun = await begin(session, prepared, { attempt, ...about });
  while (begun.begun === "retry") {
    attempt = begun.attempt;
    begun = await begin(session, prepared, { attempt, ...about });
  }
  if (begun.begun !== "started") {
    const replayed = replay(session, call, draft, begun);
    span.end();
    return replayed;
  }
  session.root.denials = 0;
  span.prove({ action: draft.place.id, verdict: "permit", placed: begun.placed! });

  const stretch = ambient.getStore()?.stretch;
  const { turn, callId, ordinal } = draft.place;
  const inside: EnclosingCall = { turn, callId, ordinal, nested: 0, credential: credential?.value };
  const frame = { session, ...(stretch && { stretch }), call: inside };
  const from = deployment.clock();
  const ended = await runBody(frame, signal, () => s.execute(s.args.value, { signal }));
  inside.credential = undefined;
  return finish(session, call, { draft, span, attempt, from, action: begun.placed! }, ended);
}

/** A tool that is to have a credential and cannot get it does not start; that is recorded as what stopped it. */
async function credentialFor(
  session: AmbientSession,
  credentials: Credentials,
  { draft, span }: Pick<Started<unknown>, "draft" | "span">,
): Promise<Awaited<ReturnType<Credentials>>> {
  try {
    return await credentials(draft.tool, session.facade);
  } catch {
    const message = `${toolLabel(draft.tool, session.tools)}: no credential could be had for it.`;
    const finding = { check: "credential", code: "credential_failed", message } as const;
    const verdict: Verdict = { verdict: "deny", findings: [...draft.verdict.findings, finding] };
    throw await recordDenial(session, { ...draft, verdict }, span);
  }
}

function begin(
  session: LiveSession,
  prepared: Prepared,
  about: Attempt & { readonly decisions: number | undefined },
): Promise<BeginResult> {
  const { draft } = prepared;
  return session.deployment.engine.begin({
    action: draft.place.id,
    args: argsKey(prepared),
    ...(about.decisions !== undefined && { decisions: about.decisions }),
    attempt: about.attempt,
    repeatable: draft.class.effect === "read",
    expires: session.expires,
    ...actionEntry(session, prepared, about),
  });
}
