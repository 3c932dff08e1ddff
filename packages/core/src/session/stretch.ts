import { type Span, SpanStatusCode, context, trace } from "@opentelemetry/api";
import type { Stretch } from "./ambient.ts";
import { endStretch } from "../turn/journal.ts";
import type { LiveSession } from "./live.ts";
import { marked, tracer } from "../record/span.ts";

/** One `session.run`, with its `invoke_agent` span. */
export interface OpenStretch extends Stretch {
  /** Runs `fn` with the span active. */
  enter<T>(fn: () => T): T;
  /** What `session.run` returned has settled. */
  readonly settled: (failed: boolean) => void;
}

/**
 * Opens a stretch. It is over when its function has settled and every hold is released; then the span
 * ends, and, where this was the outermost stretch of a run that went well, its model turns are
 * forgotten: they serve a run that is taken up again, and this one is complete.
 */
export function openStretch(session: LiveSession, outer: Stretch | undefined): OpenStretch {
  const span: Span = tracer().startSpan(`invoke_agent ${session.agent}`, {
    attributes: {
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.agent.name": session.agent,
      "behest.principal": session.vault.principal,
      ...(!session.observed && { "behest.delegation": session.leaf.jti }),
      ...marked(session),
    },
    links: links(session),
  });
  session.span = span;
  begin(session);
  let open = 1;
  let failed = false;
  let ended = false;
  const release = (): void => {
    if (--open > 0) return;
    if (failed && !ended) span.setStatus({ code: SpanStatusCode.ERROR });
    if (!ended) span.end();
    ended = true;
    endStretch(session, { failed, outermost: !outer && !session.parts.parent });
  };
  return {
    enter: (fn) => context.with(trace.setSpan(context.active(), span), fn),
    settled: (bad) => {
      failed ||= bad;
      release();
    },
    hold: () => {
      // After the end it is a stretch of its own, without a span.
      if (open === 0) begin(session);
      open++;
      let held = true;
      return (unfinished = false) => {
        if (!held) return;
        held = false;
        failed ||= unfinished;
        release();
      };
    },
  };
}

function begin({ root }: LiveSession): void {
  root.open++;
  root.complete = false;
}

function links(session: LiveSession): { context: ReturnType<Span["spanContext"]> }[] {
  const parent = session.parts.parent?.span;
  return parent ? [{ context: parent.spanContext() }] : [];
}
