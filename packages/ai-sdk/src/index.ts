export { delivered } from "./delivered.ts";
export { guard } from "./guard.ts";
export { pendingApprovals, resume } from "./pending.ts";
export type { GuardSettings } from "./settings.ts";
export { type Subagent, subagentTool } from "./subagent.ts";
export { guardTools } from "./tool.ts";
