import type { ModelMessage, ToolModelMessage } from "ai";
import type { Ask } from "@behest/core";
import { OURS } from "./approval.ts";
import { readPlaceholder } from "./pause.ts";

interface Part {
  readonly type: string;
  readonly [name: string]: unknown;
}
interface Step {
  readonly content?: readonly Part[];
  readonly providerMetadata?: { readonly behest?: unknown };
}

/**
 * What a run waits for: of a result (of a stream: `{ steps: await result.steps }`), of one step, or of the UI
 * messages of a conversation. Plain JSON, to keep beside the messages. A request that your own `toolApproval`
 * makes as well is not among them: that one is answered by you, and the approval that is needed besides stands in
 * `behest.approvals.list()`. Throws TypeError for anything else, such as a stream that was not awaited.
 */
export function pendingApprovals(result: object): Ask[] {
  const last: unknown = Array.isArray(result) ? result.at(-1) : result;
  if (Array.isArray(result) && last === undefined) return [];
  const { steps, content, parts } = last as { steps?: unknown; content?: unknown; parts?: unknown };
  const step: unknown = Array.isArray(steps) ? steps.at(-1) : steps === undefined ? last : undefined;
  if (Array.isArray(parts)) return unique(parts.flatMap((part) => fromMessage(part as Part)));
  if (Array.isArray(steps) && step === undefined) return [];
  if (step === undefined || !Array.isArray(steps ?? content))
    throw new TypeError("pendingApprovals: no result. Of a stream pass { steps: await result.steps }.");
  const { content: said = [], providerMetadata } = step as Step;
  const { asks = [] } = (providerMetadata?.behest ?? {}) as { asks?: readonly Ask[] };
  return unique([...said.flatMap(fromStep), ...asks]);
}

function fromStep(part: Part): readonly Ask[] {
  if (part.type === "tool-result") return asksIn(part["output"]);
  if (part.type !== "tool-approval-request") return [];
  const { toolCall, approvalId, reason } = part as unknown as {
    toolCall: { toolName: string; providerMetadata?: unknown };
    approvalId: string;
    reason?: unknown;
  };
  return asked(reason, toolCall.providerMetadata, { resumeId: approvalId, tool: toolCall.toolName });
}

function fromMessage(part: Part): readonly Ask[] {
  if (part["state"] === "output-available") return asksIn(part["output"]);
  if (part["state"] !== "approval-requested") return [];
  const { id, requestReason } = part["approval"] as { id: string; requestReason?: unknown };
  const tool = part.type === "dynamic-tool" ? String(part["toolName"]) : part.type.slice("tool-".length);
  return asked(requestReason, part["callProviderMetadata"], { resumeId: id, tool });
}

function asked(reason: unknown, metadata: unknown, ask: Pick<Ask, "resumeId" | "tool">): Ask[] {
  const { behest } = (metadata ?? {}) as { behest?: { action?: unknown } };
  if (typeof reason !== "string" || !reason.startsWith(OURS)) return [];
  return typeof behest?.action === "string" ? [{ approval: behest.action, ...ask }] : [];
}

function asksIn(output: unknown): readonly Ask[] {
  return readPlaceholder(output)?.asks ?? [];
}

function unique(asks: readonly Ask[]): Ask[] {
  return [...new Map(asks.map((ask) => [ask.approval, ask])).values()];
}

/**
 * Messages to put behind those of a run that waits, so that the SDK takes it up again. They carry no decision:
 * what runs is what the store holds an approval of, and what still waits pauses again.
 */
export function resume(asks: readonly Ask[]): ModelMessage[] {
  const ids = new Set(asks.map(({ resumeId }) => resumeId).filter((id) => id !== ""));
  const content = [...ids].map(
    (approvalId) => ({ type: "tool-approval-response", approvalId, approved: true }) as const,
  );
  return content.length > 0 ? [{ role: "tool", content } satisfies ToolModelMessage] : [];
}
