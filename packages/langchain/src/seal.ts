import { type BehestError, type Session } from "@behest/core";
import { isGranted, refuse } from "@behest/core/adapter";
import { type AgentMiddleware, type ToolCallRequest, createMiddleware } from "langchain";
import { withCandidates } from "./candidates.ts";
import { denialMessage } from "./denial.ts";
import { type BodiedTool, guarded, isBodied } from "./enforce.ts";
import { answering, answersMore } from "./model.ts";
import { offered } from "./offer.ts";
import { sessionHere, turnOf } from "./place.ts";
import { type Sampling, sampling } from "./sampling.ts";
import { isAdmitted } from "./tripwire.ts";

export type Gate = AgentMiddleware<undefined, undefined, unknown, readonly []>;

/** A tool of the framework that starts sub-agents, and what guards it in place of a grant of its own. */
export interface SpawnTool {
  readonly name: string;
  guard(tool: BodiedTool): BodiedTool;
}

type WrapModelCall = NonNullable<Gate["wrapModelCall"]>;

export interface Hooks {
  /** `turn`: where the gate hands it on itself. */
  wrapModelCall(...call: [...Parameters<WrapModelCall>, turn?: Sampling]): ReturnType<WrapModelCall>;
  wrapToolCall: NonNullable<Gate["wrapToolCall"]>;
}

/** The inner half: whatever other middleware made of a call, what is handed on is guarded. */
export function seal(hooks?: Hooks): Gate {
  return createMiddleware({ name: "behest_seal", ...hooks }) as Gate;
}

/** What the seal does. */
export function sealing(spawnTool?: SpawnTool): Hooks {
  return {
    async wrapModelCall(request, handler, turn = sampling.getStore() ?? {}) {
      const session = sessionHere("a model", request.runtime.configurable);
      const { model, modelSettings, systemMessage: system } = request;
      // Again, as other middleware may have added some.
      const tools = offered(session, request.tools, spawnTool?.name);
      if (turn.replay) {
        const known = answering(model, turn.replay);
        return known ? handler({ ...request, tools, model: known }) : turn.replay;
      }
      turn.asked = { model, system, tools };
      const asking = (): ReturnType<typeof handler> => handler({ ...request, tools });
      if (!answersMore(model, modelSettings)) return asking();
      const { answer, others } = await withCandidates(asking);
      turn.alternatives = others;
      return answer;
    },
    async wrapToolCall(request, handler) {
      const { tool, toolCall } = request;
      if (tool && isBodied(tool)) {
        const spawns = tool.name === spawnTool?.name && !isAdmitted(tool);
        const safe = spawns ? spawnTool.guard(tool) : guarded(tool);
        return handler({ ...request, tool: safe as typeof tool });
      }
      const session = sessionHere(`"${toolCall.name}"`, request.runtime.configurable);
      // Of a tool that is granted and not here LangChain says so; of others it would list what was hidden.
      if (!tool && isGranted(session, toolCall.name)) return handler(request);
      return denialMessage(await refused(session, request), toolCall, toolCall.name);
    },
  };
}

function refused(session: Session, { tool, toolCall, state }: ToolCallRequest): Promise<BehestError> {
  const { id: callId, name, args } = toolCall;
  const turn = callId && turnOf(callId, state.messages);
  const call = { tool: name, args, callId, turn };
  return tool
    ? refuse(session, call, "tool_unsupported", "this tool has no body that could be guarded.")
    : refuse(session, { ...call, tool: "" }, "tool_not_granted", "this agent has no such tool.");
}
