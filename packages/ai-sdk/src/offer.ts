import type { LanguageModelV4CallOptions } from "@ai-sdk/provider";
import type { ToolSet } from "ai";
import type { Session } from "@behest/core";
import { isGranted, refuse, reportTools } from "@behest/core/adapter";
import { type Guarded, type Kind, brandOf, markOf, unmarked } from "./mark.ts";

/** What the leaf names is offered to the model; a spawn tool needs no grant of its own. */
export function isOffered(session: Session, tool: string, kind: Kind | undefined): boolean {
  return kind === "spawn" || isGranted(session, tool);
}

/** What a guard has seen of the tools that its model will offer. */
export interface Seen {
  readonly tool: string;
  readonly kind: "wrapped" | "unwrapped" | "provider";
  readonly definition: object;
}

/** Tools without a body run elsewhere: at the provider, or in the client (`unwrapped`). */
export function seenTools(tools: ToolSet): Seen[] {
  return Object.entries(tools).map(([tool, given]) => {
    if (typeof given.execute === "function") {
      const { definition = given } = brandOf<Guarded>(given.execute) ?? {};
      return { tool, kind: "wrapped", definition };
    }
    return { tool, kind: given.type === "provider" ? "provider" : "unwrapped", definition: given };
  });
}

const reported: WeakMap<Session, WeakSet<readonly Seen[]>> = new WeakMap();

/** Once per session and guard. */
function report(session: Session, seen: readonly Seen[]): void {
  const known = reported.get(session) ?? new WeakSet();
  if (known.has(seen)) return;
  reported.set(session, known.add(seen));
  reportTools(session, seen);
}

type Offer = Pick<LanguageModelV4CallOptions, "tools" | "toolChoice">;

/**
 * The tools as the provider may see them: only what is granted, without our marks. A tool whose body is
 * not guarded is refused (`tool_unguarded`): hiding it would not keep a model from calling it.
 */
export async function offeredTools(
  session: Session,
  { tools, toolChoice }: Offer,
  seen: readonly Seen[],
): Promise<Offer> {
  report(session, seen);
  const isBodiless = (name: string): boolean =>
    seen.some(({ tool, kind }) => tool === name && kind !== "wrapped");
  const offered: NonNullable<Offer["tools"]> = [];
  for (const tool of tools ?? []) {
    const options = tool.type === "provider" ? tool.args : tool.providerOptions;
    const kind = markOf(options);
    if (!kind && !isBodiless(tool.name))
      throw await refuse(
        session,
        { tool: tool.name },
        "tool_unguarded",
        `${tool.name}: this tool was not guarded. Pass it to guard() with the model, or through guardTools().`,
      );
    if (isOffered(session, tool.name, kind)) offered.push(kind ? bare(tool) : tool);
  }
  if (toolChoice?.type === "tool" && !offered.some(({ name }) => name === toolChoice.toolName))
    throw await refuse(
      session,
      { tool: toolChoice.toolName },
      "tool_not_granted",
      `${toolChoice.toolName}: toolChoice demands a tool that was not delegated.`,
    );
  return { ...(offered.length > 0 && { tools: offered }), ...(toolChoice && { toolChoice }) };
}

type Offered = NonNullable<Offer["tools"]>[number];

function bare(tool: Offered): Offered {
  if (tool.type === "provider") return { ...tool, args: unmarked(tool.args) };
  const { providerOptions = {}, ...rest } = tool;
  const own = unmarked(providerOptions);
  return Object.keys(own).length > 0 ? { ...rest, providerOptions: own } : rest;
}
