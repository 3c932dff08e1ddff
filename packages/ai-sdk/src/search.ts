import type { Tool } from "ai";
import type { Session } from "@behest/core";
import { callTool } from "@behest/core/adapter";
import { brand, brandOf } from "./mark.ts";
import { sessionFor } from "./session.ts";

type Search = (request: { query: string; tools: readonly object[] }) => string[] | PromiseLike<string[]>;

// The SDK gives `toolSearch()` a body of its own at each step; the user's code in it is found under this name.
const SEARCH: unique symbol = Symbol.for("vercel.ai.toolSearch.search") as never;

/** The search function of a `toolSearch()` tool is run with what the model asks for: it is a body too. */
export function guardSearch(
  tool: Tool,
  name: string,
  explicit: Session | undefined,
  definition: object,
): { [SEARCH]?: Search } {
  const given = (tool as { [SEARCH]?: Search })[SEARCH];
  if (typeof given !== "function") return {};
  const search = brandOf<{ search: Search }>(given)?.search ?? given;
  const guarded: Search = async ({ query, tools }) =>
    callTool<string[]>(
      sessionFor(explicit, `"${name}"`),
      { tool: name, args: { query }, definition },
      async (args) => search({ ...(args as { query: string }), tools }),
    );
  return { [SEARCH]: brand(guarded, { search }) };
}
