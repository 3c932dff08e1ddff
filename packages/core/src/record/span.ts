import {
  ProxyTracerProvider,
  type Span,
  SpanStatusCode,
  type Tracer,
  context,
  trace,
} from "@opentelemetry/api";
import { signSpanProof } from "@behest/provenance";
import type { LiveSession } from "../session/live.ts";
import type { Placed } from "../store/types.ts";

const NAME = "@behest/core";

export function tracer(): Tracer {
  return trace.getTracer(NAME);
}

/** What a span says of an action once its entry stands. */
interface SpanFacts {
  readonly action: string;
  readonly verdict: "permit" | "deny" | "ask";
  /** Where its `action` entry stands. */
  readonly placed: Placed;
  /** Hash of the entry of the override that let it start. */
  readonly override?: string | undefined;
}

/** `execute_tool <name>`: one span per action, a child of whatever is active. */
export interface ActionSpan {
  /** Absent where nothing records: then entries name no span either. */
  readonly trace?: { readonly trace: string; readonly span: string };
  /** Runs `fn` with the span active. */
  enter<T>(fn: () => T): T;
  /** Adds the facts and the proof over them; costs a signature, hence only where the span is recorded. */
  prove(facts: SpanFacts): void;
  end(error?: string): void;
  /** From now on only the returned function ends it: for what is written after the answer was given. */
  later(): (error?: string) => void;
}

const SILENT: ActionSpan = { enter: (fn) => fn(), prove: () => {}, end: () => {}, later: () => () => {} };

/** Marks what was only tried out, and what nobody had delegated. */
export function marked({ marks: { enforce, observed } }: LiveSession): {
  readonly "behest.enforce"?: "shadow";
  readonly "behest.observed"?: "true";
} {
  return { ...(enforce && { "behest.enforce": enforce }), ...(observed && { "behest.observed": "true" }) };
}

export function actionSpan(session: LiveSession, tool: string, callId: string): ActionSpan {
  const provider = trace.getTracerProvider();
  // Without an SDK the API's own provider would make a tracer and a span that record nothing.
  const registered =
    provider instanceof ProxyTracerProvider ? provider.getDelegateTracer(NAME) : provider.getTracer(NAME);
  if (!registered) return SILENT;
  const span: Span = registered.startSpan(`execute_tool ${tool}`, {
    attributes: { "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool, ...marked(session) },
  });
  if (!span.isRecording()) return SILENT;
  // A provider may put anything into an id; what looks like one is passed on.
  if (/^[\w-]{1,64}$/.test(callId)) span.setAttribute("gen_ai.tool.call.id", callId);
  const { traceId, spanId } = span.spanContext();
  let deferred = false;
  const finish = (error?: string): void => {
    if (error !== undefined) {
      span.setAttribute("error.type", error);
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end();
  };
  return {
    trace: { trace: traceId, span: spanId },
    enter: (fn) => context.with(trace.setSpan(context.active(), span), fn),
    prove({ action, verdict, override, placed: { hash: entry, head } }) {
      if (override !== undefined) span.setAttribute("behest.override", override);
      const { principal } = session.vault;
      const behind = session.observed ? { observed: true as const } : { delegation: session.leaf.jti };
      const told = { action, verdict, entry, head, principal, ...behind };
      try {
        const proof = signSpanProof(
          { ...told, tool, trace: traceId, span: spanId },
          session.deployment.entryKey,
        );
        for (const [name, value] of Object.entries(told)) span.setAttribute(`behest.${name}`, String(value));
        span.setAttribute("behest.proof", proof);
      } catch {
        // A span is a pointer, never the evidence: one that cannot be proven goes without.
      }
    },
    end(error) {
      if (!deferred) finish(error);
    },
    later() {
      deferred = true;
      return finish;
    },
  };
}
