import type { Profile } from "@behest/core";
import type { RestrictionRequest } from "@behest/delegation";
import { toolsOf } from "./delegations.ts";
import { inside } from "./oracle.ts";
import {
  type Call,
  type DelegationRow,
  type Limit,
  type ToolClasses,
  delegationRows,
  toolClasses,
} from "./recordings.ts";
import { type Suite, agentdojoSuites } from "./suites.ts";

/** AgentDojo's suites under the shipped policies, with profiles, and persons who are asked. */
export function policedSuites(): Suite[] {
  const rowOf = delegationRows();
  const classes = toolClasses();
  return agentdojoSuites().map((suite): Suite => {
    const schemas = new Map(suite.specs.map(({ name, parameters }) => [name, parameters]));
    const own = classes[suite.name]!;
    return {
      ...suite,
      tools: (run) => toolsOf(opened(rowOf(run)), suite.specs),
      about(run, call) {
        const row = rowOf(run);
        return {
          ...suite.about(run, call),
          inside: inside(opened(row), call, schemas.get(call.tool)),
          asked: isAsked(row, call, own),
        };
      },
      policed: { profiles: profilesOf(own), approvals: (run) => approvalsOf(rowOf(run)) },
    };
  });
}

/**
 * What is only known after reading data, and what a person is to decide about where it differs, is no limit of the
 * delegation: there a person is asked.
 */
function opened(row: DelegationRow): DelegationRow {
  const open = (limit: Limit): Limit => (isOpen(limit) ? { kind: "any" } : limit);
  return {
    ...row,
    grants: row.grants.map((grant) => ({
      ...grant,
      constraints: Object.fromEntries(
        Object.entries(grant.constraints).map(([name, limit]) => [name, open(limit)]),
      ),
    })),
  };
}

function isOpen({ origin, onViolation }: Limit): boolean {
  return origin === "ground_truth" || onViolation === "approve";
}

function wantsPerson({ pinned, constraints }: DelegationRow["grants"][number]): boolean {
  return !pinned || Object.values(constraints).some(isOpen);
}

/** The delegation wants a person for each call under a grant that the person's words do not pin. */
function approvalsOf({ grants }: DelegationRow): RestrictionRequest["approvals"] {
  const tools = grants.filter(wantsPerson).map(({ tool }) => [tool, { approvers: 1 }] as const);
  return tools.length > 0 ? Object.fromEntries(tools) : undefined;
}

/** By the classes that the recordings come with. What is written and may be taken back stays with its owner. */
function profilesOf(classes: ToolClasses): { readonly [tool: string]: Profile } {
  const { read, sensitive_read = [], egress_read = [], write, irreversible } = classes;
  const each = (tools: readonly string[], profile: Profile): [string, Profile][] =>
    tools.map((tool) => [tool, profile]);
  return Object.fromEntries([
    ...each([...read, ...sensitive_read], { effect: "read", boundary: "inside" }),
    ...each(egress_read, { effect: "read", boundary: "outside" }),
    ...each(write, { effect: "reversible", boundary: "inside" }),
    ...each(irreversible, { effect: "irreversible", boundary: "outside" }),
  ]);
}

/** A second, naive reading of whether a call within its grant waits for a person. */
function isAsked({ grants }: DelegationRow, { tool, args }: Call, classes: ToolClasses): boolean {
  const grant = grants.find((one) => one.tool === tool);
  if (!grant) return false;
  if (wantsPerson(grant) || classes.irreversible.includes(tool)) return true;
  if (classes.write.includes(tool)) return false;
  // A read that leaves: by its class, or because it is given an address that no grant holds.
  const isHeld = Object.values(grant.constraints).some(({ kind }) => kind !== "any");
  const leaves = classes.egress_read?.includes(tool) === true;
  return !isHeld && (leaves || Object.values(args).some((value) => /^https?:/.test(String(value))));
}
