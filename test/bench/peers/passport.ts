// agent-passport-system: signed objects with a list of scopes and one spend limit. It cannot say which arguments a
// tool takes, so paths, recipients and currencies are written as scopes; a child does not name its parent, and
// walking a chain is left to a gateway of another package: the links are compared here.
import {
  createDelegation,
  generateKeyPair,
  scopeAuthorizes,
  subDelegate,
  verifyDelegation,
} from "agent-passport-system/core";
import { scopeCovers } from "agent-passport-system";
import { CALL } from "../chains.ts";

type Signed = ReturnType<typeof createDelegation>;

const scopeAt = (hop: number): string[] => [
  `read_file:data${":team".repeat(hop)}`,
  "pay:EUR",
  "pay:USD",
  "send_mail:example.com",
];

export function passportWork(): () => void {
  const [issuer, agent] = [generateKeyPair(), generateKeyPair()];
  return () => {
    const root = createDelegation({
      delegatedTo: agent.publicKey,
      delegatedBy: issuer.publicKey,
      scope: scopeAt(0),
      spendLimit: 100,
      maxDepth: 8,
      expiresInHours: 1,
      privateKey: issuer.privateKey,
    });
    const child = subDelegate({
      parentDelegation: root,
      delegatedTo: generateKeyPair().publicKey,
      scope: scopeAt(1),
      spendLimit: 99,
      privateKey: agent.privateKey,
    });
    authorize(JSON.stringify([root, child]), issuer.publicKey);
  };
}

function authorize(text: string, trusted: string): void {
  const chain = JSON.parse(text) as Signed[];
  let parent: Signed | undefined;
  for (const delegation of chain) {
    if (!verifyDelegation(delegation).valid) throw new Error("a delegation is not valid");
    if (delegation.delegatedBy !== (parent?.delegatedTo ?? trusted)) throw new Error("the chain is broken");
    if (parent && !narrows(parent, delegation)) throw new Error("a child is wider");
    parent = delegation;
  }
  const { amount, currency } = CALL.args;
  if (!parent || !scopeAuthorizes(parent.scope, `${CALL.tool}:${currency}`) || amount > parent.spendLimit!)
    throw new Error("the call is not granted");
}

function narrows(parent: Signed, child: Signed): boolean {
  return (
    child.currentDepth === parent.currentDepth + 1 &&
    child.currentDepth <= parent.maxDepth &&
    child.maxDepth <= parent.maxDepth &&
    Date.parse(child.expiresAt) <= Date.parse(parent.expiresAt) &&
    child.spendLimit! <= parent.spendLimit! &&
    child.scope.every((asked) => parent.scope.some((held) => scopeCovers(held, asked)))
  );
}
