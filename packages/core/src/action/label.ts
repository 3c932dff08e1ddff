import type { AatTools } from "@behest/delegation";

// A name that a model made up may hold anything; entries, spans and messages carry only what looks like a tool's name.
const TOOL_NAME = /^[A-Za-z0-9_.:/-]{1,128}$/;

/** A tool's name as entries, spans and messages carry it: as it is where the delegation names it. */
export function toolLabel(tool: string, granted: AatTools): string {
  return Object.hasOwn(granted, tool) ? tool : label(tool);
}

/** A name that comes from outside, where it looks like one. */
export function label(name: string): string {
  return TOOL_NAME.test(name) ? name : "(unnamed)";
}
