import type { Effect } from "@behest/delegation";
import type { Boundary, Profile } from "./profile.ts";

/** What an MCP server says of its own tool (ToolAnnotations, 2025-06-18). */
export interface McpAnnotations {
  readonly readOnlyHint?: boolean;
  readonly destructiveHint?: boolean;
  readonly idempotentHint?: boolean;
  readonly openWorldHint?: boolean;
}

/**
 * A declared profile, made stricter by the server's hints and never looser: a server that calls its tool harmless is
 * believed by nobody. Without a declared profile hints give none, and the tool is irreversible and outside.
 */
export function profileFromMcp(annotations: McpAnnotations | undefined, declared: Profile): Profile;
export function profileFromMcp(
  annotations: McpAnnotations | undefined,
  declared?: Profile,
): Profile | undefined;
export function profileFromMcp(
  annotations: McpAnnotations | undefined,
  declared?: Profile,
): Profile | undefined {
  if (!declared || !annotations) return declared;
  const { readOnlyHint, destructiveHint, openWorldHint } = annotations;
  const least: Effect =
    destructiveHint === true ? "irreversible" : readOnlyHint === false ? "reversible" : "read";
  if (least === "read" && openWorldHint !== true) return declared;
  const { effect, boundary } = declared;
  return {
    ...declared,
    effect: typeof effect === "function" ? (args) => worse(effect(args), least) : worse(effect, least),
    ...(openWorldHint === true && {
      boundary: typeof boundary === "function" ? (args: never) => outward(boundary(args)) : "outside",
    }),
  };
}

const ORDER: readonly Effect[] = ["read", "reversible", "irreversible"];

/** What is no effect stays none, for {@link classify} to refuse. */
function worse(said: Effect, least: Effect): Effect {
  return ORDER.includes(said) && ORDER.indexOf(said) < ORDER.indexOf(least) ? least : said;
}

function outward(said: Boundary): Boundary {
  return said === "inside" ? "outside" : said;
}

/** Where both frameworks keep what the server said; a getter that throws says nothing. */
export function annotationsOf(definition: object | undefined): McpAnnotations | undefined {
  try {
    const { metadata } = (definition ?? {}) as { readonly metadata?: { readonly annotations?: unknown } };
    const annotations = metadata?.annotations;
    return typeof annotations === "object" && annotations !== null ? annotations : undefined;
  } catch {
    return undefined;
  }
}
