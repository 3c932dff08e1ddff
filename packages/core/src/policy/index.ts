export { policiesOf } from "./policed.ts";
export type { PolicyDecision } from "./decision.ts";
export type { PolicyFault } from "./fault.ts";
export { type PolicyLimit, printLimit } from "./limit.ts";
export { checkPolicies, loadPolicies } from "./policies.ts";
export type { Policies } from "./prepare.ts";
export type { PolicyRequest } from "./request.ts";
export type { PolicyAsk, PolicyRule } from "./rule.ts";
export { type Shortage, shortageText, shortages } from "./shortage.ts";
