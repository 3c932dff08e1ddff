import { background } from "../deployment.ts";
import { type BehestError, denied } from "../error.ts";
import type { LiveSession } from "../session/live.ts";
import { type Draft, actionEntry, prepare } from "../record/record.ts";
import type { ActionSpan } from "../record/span.ts";

/**
 * Records a denial and answers with the error for the model. The answer does not wait for the disk;
 * the span, which carries the entry's place, ends when the entry stands. A denial that repeats word for
 * word in a resumed run is recorded once.
 */
export async function recordDenial(
  session: LiveSession,
  draft: Draft,
  span: ActionSpan,
): Promise<BehestError> {
  const { deployment, vault } = session;
  const last = draft.verdict.findings.at(-1)!;
  const prepared = await prepare(session, draft);
  const once = vault.name("denied", draft.place.id, last.code, draft.text);
  const request = { ...actionEntry(session, prepared, { attempt: 0, trace: span.trace }), once };
  const end = span.later();
  const written = session.written(deployment.engine.append(request)).then(
    (placed) => {
      span.prove({ action: draft.place.id, verdict: "deny", placed });
      end(last.code);
    },
    () => end(last.code),
  );
  background(deployment, written);
  session.countDenial();
  const granted = Object.hasOwn(session.tools, draft.tool) ? draft.tool : undefined;
  deployment.alerts.denied(last.code, vault.principal, session.id, granted);
  return denied(last.code, last.message);
}
