export { guardDeepAgent } from "./deep-agent.ts";
export { delivered } from "./delivered.ts";
export { guardTools } from "./guard-tools.ts";
export { behestMiddleware } from "./middleware.ts";
export { pendingApprovals, resume } from "./pending.ts";
export { subagentTool } from "./subagent.ts";
export type { DeepAgentTask, TaskDelegate } from "./task.ts";
