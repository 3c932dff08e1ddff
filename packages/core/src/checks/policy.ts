import { strayedFrom } from "./identity.ts";
import { toolLabel } from "../action/label.ts";
import { allowlisted } from "../policy/allowlisted.ts";
import type { PolicyDecision } from "../policy/decision.ts";
import { pathOf } from "../policy/limit.ts";
import type { PolicyRequest } from "../policy/request.ts";
import type { Finding } from "../types.ts";
import type { Wanted } from "./wanted.ts";

/** What the deployment's policies say, where it has any. */
export function policy(wanted: Wanted): Finding | undefined {
  const { session, tool } = wanted;
  const { policies, undeclared } = session.deployment;
  if (!policies || (undeclared === "grants" && !wanted.class.declared)) return undefined;
  const label = toolLabel(tool, session.tools);
  const request = requestOf(wanted);
  if (!request) {
    const message = `${label}: its profile does not answer for these arguments.`;
    return { check: "policy", code: "profile_invalid", message };
  }
  wanted.evaluated?.(request);
  return found(label, policies.decide(request, wanted.override !== undefined));
}

function found(label: string, decided: PolicyDecision): Finding {
  const { rules, reasons } = decided;
  const by = { check: "policy", ...(rules.length > 0 && { rule: rules.join(", ") }) };
  const why = reasons.slice(0, 3).join(" ");
  switch (decided.decision) {
    case "permit":
      return { ...by, code: "ok", message: "permitted", ...counted(decided) };
    case "deny": {
      const { beyond, failed } = decided;
      const message = `${label}: ${why}`;
      if (beyond || failed) return { ...by, code: "policy_denied", ...beyond, message };
      return { ...by, code: "policy_denied", message, liftable: true, ...counted(decided) };
    }
    case "ask": {
      const { asks } = decided;
      const whom = asks.map(({ group, need }) => `${need} of "${group}"`).join(" and ");
      const message = `${label}: ${why} It needs the approval of ${whom}.`;
      const needs = asks.map(({ group, need }) => ({ group, persons: need }));
      return { ...by, code: "approval_needed", message, needs, ...counted(decided) };
    }
  }
}

/** Where it will be counted when it starts. */
function counted({ limits }: PolicyDecision): Pick<Finding, "path" | "limits"> {
  return limits ? { path: limits.map(pathOf).join(" "), limits } : {};
}

/** Undefined where the profile says what it touches in no way that can be read. */
function requestOf({ session, tool, args, class: c, model, now }: Wanted): PolicyRequest | undefined {
  const { hops } = session.parts;
  const [root] = hops;
  const { leaf } = session;
  const touched = touchedBy(c.profile, args);
  // Half of a character could not be committed to, and so not be shown to have decided.
  const texts = [touched?.resource, c.workspace];
  if (!touched || texts.some((text) => text?.isWellFormed() === false)) return undefined;
  return {
    tool,
    args,
    effect: c.effect,
    boundary: c.boundary,
    declared: c.declared,
    allowlisted: allowlisted(
      Object.hasOwn(session.tools, tool) ? session.tools[tool] : undefined,
      c.profile?.control,
      args,
    ),
    agent: {
      id: leaf.jti,
      ancestors: hops.slice(0, -1).map(({ jti }) => jti),
      name: session.agent,
      tenant: root!.tenant,
      consent: root!.consent?.rung ?? "local",
      mismatch: strayedFrom(session, model, now).length > 0,
    },
    person: { issuer: root!.iss, subject: session.principal },
    ...touched,
    workspace: c.workspace,
    amount: c.amount,
    task: leaf.task,
    within: leaf.restrictions?.workspace,
    now,
  };
}

type Touched = Pick<PolicyRequest, "resource">;

function touchedBy(profile: Wanted["class"]["profile"], args: Wanted["args"]): Touched | undefined {
  try {
    const resource: unknown = profile?.resource?.(args as never);
    if (resource !== undefined && typeof resource !== "string") return undefined;
    return { resource };
  } catch {
    return undefined;
  }
}
