import type { ModelMessage, Tool, ToolApprovalStatus, ToolSet } from "ai";
import { BehestError } from "@behest/core";
import { ambientSession, isNested, mayAsk, pending } from "@behest/core/adapter";
import { type Guarded, brand, brandOf } from "./mark.ts";
import { loopOf, releaseRun, turnOf } from "./step.ts";

type Awaitable<V> = V | PromiseLike<V>;

/** What the SDK tells a function for one tool; of a function for all of them, the same apart. */
interface About {
  readonly toolCallId: string;
  readonly messages: readonly ModelMessage[];
  readonly toolContext?: unknown;
}
type ForOne = (input: unknown, about: About) => Awaitable<ToolApprovalStatus>;
type ForAll = (
  options: Pick<About, "messages"> & {
    readonly toolCall: { readonly toolCallId: string; readonly toolName: string; readonly input: unknown };
  },
) => Awaitable<ToolApprovalStatus>;
type Entry = ForOne | ToolApprovalStatus;

/** `toolApproval` of the SDK, as far as it matters here. */
export type Approval = ForAll | { readonly [tool: string]: Entry };

/**
 * Pauses the loop where persons have to approve a call, and refuses it where they have denied it; what the
 * user's own setting says stands where it is stricter. It only pauses: the tool's body decides again.
 * Whatever throws is a denial: an error here would end the whole run.
 */
export function guardApproval(approval: Approval | undefined, tools: ToolSet): Approval {
  if (typeof approval === "function") {
    const guarded: ForAll = (options) => {
      const { toolCallId, toolName, input } = options.toolCall;
      const about = { toolCallId, messages: options.messages };
      const tool = Object.hasOwn(tools, toolName) ? (tools[toolName] as Tool) : undefined;
      return strictest(
        () => approval(options),
        () => tool && ours(toolName, tool, input, about),
        about,
      );
    };
    return brand(guarded, { given: approval });
  }
  const entries = Object.entries(tools).flatMap(([name, bodied]): [string, ForOne][] => {
    const tool = bodied as Tool;
    if (bodyOf(tool)?.kind !== "tool") return [];
    const given = approval && Object.hasOwn(approval, name) ? approval[name] : undefined;
    const guarded: ForOne = (input, about) =>
      strictest(
        () => ownStatus(given, tool, input, about),
        () => ours(name, tool, input, about),
        about,
      );
    return [[name, brand(guarded, { given })]];
  });
  return { ...approval, ...Object.fromEntries(entries) };
}

/** What the user gave: settings are guarded again at each call of an agent. */
export function givenApproval(approval: Approval | undefined): Approval | undefined {
  if (typeof approval !== "object") return approval && given(approval);
  const entries = Object.entries(approval).map(([name, entry]) => [name, given(entry)] as const);
  const own = entries.filter(([, entry]) => entry !== undefined);
  return own.length > 0 ? Object.fromEntries(own) : undefined;
}

function given<V>(value: V): V | undefined {
  const before = typeof value === "function" ? brandOf<{ given: V | undefined }>(value) : undefined;
  return before ? before.given : value;
}

function bodyOf({ execute }: Tool): Guarded | undefined {
  return execute && brandOf<Guarded>(execute);
}

/** As the SDK finds it for one tool: its entry, or else what stands on the tool. */
async function ownStatus(
  entry: Entry | undefined,
  { needsApproval }: Pick<Tool, "needsApproval">,
  input: unknown,
  about: About,
): Promise<ToolApprovalStatus> {
  if (entry !== undefined && entry !== null) return typeof entry === "function" ? entry(input, about) : entry;
  const { toolCallId, messages, toolContext: context } = about;
  const needs =
    typeof needsApproval === "function"
      ? await needsApproval(input as never, { toolCallId, messages: messages as ModelMessage[], context })
      : needsApproval;
  return needs ? "user-approval" : undefined;
}

async function ours(
  name: string,
  tool: Tool,
  input: unknown,
  { toolCallId: callId, messages }: About,
): Promise<ToolApprovalStatus> {
  const body = bodyOf(tool);
  if (body?.kind !== "tool") return undefined;
  const session = body.session ?? ambientSession();
  // Without a session or a turn that stands there is nothing to come back to: the body answers.
  if (!session || !mayAsk(session, name) || isNested(session)) return undefined;
  const turn = await turnOf(callId, messages);
  if (turn === undefined) return undefined;
  const { definition } = body;
  const error = await pending(session, { tool: name, args: input, callId, turn, definition });
  if (!error) return undefined;
  return error.code === "approval_needed"
    ? { type: "user-approval", reason: `${OURS}${error.message}` }
    : { type: "denied", reason: error.message };
}

/** How the reason of a request begins that persons answer outside of the conversation. */
export const OURS = "approval_needed: ";

const STRICTNESS = ["not-applicable", "approved", "user-approval", "denied"] as const;

function strictness(status: ToolApprovalStatus): number {
  return STRICTNESS.indexOf(typeof status === "object" ? status.type : (status ?? "not-applicable"));
}

/** The user's own, unless ours is stricter. */
async function strictest(
  theirs: () => Awaitable<ToolApprovalStatus>,
  own: () => Awaitable<ToolApprovalStatus>,
  { messages }: About,
): Promise<ToolApprovalStatus> {
  const said = await attempt(theirs);
  const status = strictness(said) === STRICTNESS.indexOf("denied") ? said : await attempt(own);
  const strict = strictness(status) > strictness(said) ? status : said;
  // The loop is over with this step: a stream that pauses does not keep the run open.
  const loop = strictness(strict) === STRICTNESS.indexOf("user-approval") ? loopOf(messages) : undefined;
  if (loop) releaseRun(loop);
  return strict;
}

async function attempt(ask: () => Awaitable<ToolApprovalStatus>): Promise<ToolApprovalStatus> {
  try {
    const status = await ask();
    if (strictness(status) >= 0) return status;
  } catch (error) {
    if (BehestError.isInstance(error)) return { type: "denied", reason: error.message };
  }
  return { type: "denied", reason: "approval_needed: it could not be found out whether it needs approval." };
}
