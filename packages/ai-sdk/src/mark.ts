import type { Tool, ToolExecuteFunction } from "ai";
import type { Session } from "@behest/core";

// One symbol, and one registry, for all copies of this package.
const GUARDED: unique symbol = Symbol.for("behest.guarded.v1") as never;

// Beside the values, not on them: telemetry is handed the tools, and must not reach a session through them.
const brands: WeakMap<object, object> = ((globalThis as Record<symbol, unknown>)[GUARDED] ??= new WeakMap<
  object,
  object
>()) as WeakMap<object, object>;

export type Execute = ToolExecuteFunction<unknown, unknown, unknown>;

/** What a guarded body remembers, so that it is bound again and never wrapped twice. */
export interface Guarded {
  readonly kind: Kind;
  readonly name: string | undefined;
  readonly session: Session | undefined;
  /** The tool as it was given: it carries the profile. */
  readonly definition: object;
  /** The body under another name or session. */
  readonly bind: (name: string, session: Session | undefined) => Execute;
}

/** A spawn tool needs no grant of its own; any other tool is offered only where it is granted. */
export type Kind = "tool" | "spawn";

export function brand<T extends object, B extends object>(value: T, what: B): T {
  brands.set(value, what);
  return value;
}

export function brandOf<B extends object>(value: object): B | undefined {
  return brands.get(value) as B | undefined;
}

type Options = { readonly [GUARDED]?: Kind };

/**
 * Tells the guarded model, through the SDK, that an offered tool is guarded: the SDK hands a tool's
 * `providerOptions` (of provider tools: `args`) to the model as they are, and a symbol survives the
 * spreads of tool callers. {@link unmarked} takes it off again before the provider sees it.
 */
export function marked(tool: Tool, kind: Kind): object {
  return tool.type === "provider"
    ? { args: { ...tool.args, [GUARDED]: kind } }
    : { providerOptions: { ...tool.providerOptions, [GUARDED]: kind } };
}

export function markOf(options: object | undefined): Kind | undefined {
  return (options as Options | undefined)?.[GUARDED];
}

export function unmarked<T extends object>(options: T): T {
  const { [GUARDED]: _, ...rest } = options as T & Options;
  return rest as T;
}
