import { BehestError } from "@behest/core";
import type { AgentMiddleware } from "langchain";

/**
 * Makes `createAgent` throw `middleware_order` where another middleware wraps the gate. While it builds an
 * agent, LangChain first asks whether *any* middleware has a hook, and stops at the first that has; then
 * it goes through them all. So before it looks at the seal's hook, it has looked at the gate's twice, or
 * only once where another had the hook before the gate.
 */
export function mustBeOutermost(gate: AgentMiddleware, seal: AgentMiddleware): void {
  const hooks = (["wrapModelCall", "wrapToolCall"] as const).map((hook) => {
    const looks = { gate: 0, beforeSeal: -1 };
    observe(gate, hook, () => looks.gate++);
    observe(seal, hook, () => {
      if (looks.beforeSeal < 0) looks.beforeSeal = looks.gate;
    });
    return looks;
  });
  // Read first, of every middleware in turn.
  observe(gate, "tools", () => {
    for (const looks of hooks) Object.assign(looks, { gate: 0, beforeSeal: -1 });
  });
  // Read last, when the hooks are in place.
  observe(seal, "streamTransformers", () => {
    if (hooks.every(({ beforeSeal }) => beforeSeal > 1)) return;
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
