// A name the model made up may hold anything; entries and spans carry only what looks like a tool's name.
const TOOL_NAME = /^[A-Za-z0-9_.:/-]{1,128}$/;

/** A tool's name as entries, spans and messages carry it. */
export function toolLabel(tool: string): string {
  return TOOL_NAME.test(tool) ? tool : "(unnamed)";
}
