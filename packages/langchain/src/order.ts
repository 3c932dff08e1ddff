import { BehestError } from "@behest/core";
import type { AgentMiddleware } from "langchain";

const HOOKS = ["wrapModelCall", "wrapToolCall"] as const;

/**
 * Makes `createAgent` throw `middleware_order` where another middleware wraps the gate. While it builds an
 * agent, LangChain first asks whether *any* middleware has a hook and stops at the first that has; then
 * it collects them all. So it looks at the outermost one's hook once more than at any other's, and a gate
 * that was not looked at more often than its seal is not the outermost.
 */
export function mustBeOutermost(gate: AgentMiddleware, seal: AgentMiddleware): void {
  const looks = HOOKS.map((hook) => {
    const counts = { gate: 0, seal: 0 };
    observe(gate, hook, () => counts.gate++);
    observe(seal, hook, () => counts.seal++);
    return counts;
  });
  // Read first, of every middleware in turn.
  observe(gate, "tools", () => {
    for (const counts of looks) counts.gate = counts.seal = 0;
  });
  // Read last, when the hooks are in place.
  observe(seal, "streamTransformers", () => {
    if (looks.every((counts) => counts.gate > counts.seal)) return;
    throw new BehestError(
      "middleware_order",
      "middleware_order: another middleware is outside of behestMiddleware(). Put it inside: middleware: behestMiddleware([other, …]).",
    );
  });
}

function observe(middleware: AgentMiddleware, property: keyof AgentMiddleware, seen: () => void): void {
  const value: unknown = middleware[property];
  Object.defineProperty(middleware, property, {
    configurable: true,
    enumerable: true,
    get: () => {
      seen();
      return value;
    },
  });
}
