import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PolicyRequest } from "../../src/policy/request.ts";

/** A folder of policies that is gone at the end of the block: `using`. */
export class PolicyFolder {
  readonly path: string = mkdtempSync(join(tmpdir(), "behest-policy-"));

  constructor(files: { readonly [name: string]: string | Uint8Array } = {}) {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.path, name), text);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

export const PAY_SCHEMA = `action payments;
type Note = { text: String, urgent?: Bool };
action "pay" in [payments] appliesTo {
  principal: Agent, resource: Resource,
  context: { args: { to: String, amount: decimal, count?: Long, notes?: Set<Note> } },
};
`;

/** A payment by bob's agent on alice's behalf. */
export function payment(args: object, change: Partial<PolicyRequest> = {}): PolicyRequest {
  return {
    tool: "pay",
    args: args as PolicyRequest["args"],
    effect: "irreversible",
    boundary: "outside",
    declared: true,
    allowlisted: false,
    agent: { id: "leaf", ancestors: ["root"], name: "clerk", consent: "local", mismatch: false },
    person: { issuer: "https://issuer.test", subject: "alice" },
    now: Date.parse("2026-11-20T12:00:00Z"),
    ...change,
  };
}
