import { thumbprint } from "@behest/jws";
import { expect, test } from "vitest";
import { AT, Deployment, NOW, digest, key } from "../../test/deployment.ts";
import type { DelegationEntry, EntryPayload, LogReport, RevocationEntry } from "../index.ts";

function said({ findings }: LogReport): string[] {
  const known = new Set(["token_not_shown", "outcome_not_shown", "cut_not_shown"]);
  return findings.filter(({ code }) => !known.has(code)).map(({ index, code }) => `${index} ${code}`);
}

/** A root (number 1) and its child (number 2), and a cut (number 3). */
async function cut(
  change: Partial<RevocationEntry>,
): Promise<{ made: Deployment; root: string; child: string }> {
  const revoker = await key();
  const made = await Deployment.make({ revokers: [{ scope: "*", jwk: revoker.jwk }] });
  made.open();
  const root = made.append(made.delegation());
  const { issuer: _, ...unissued } = made.delegation({
    jti: "child-1",
    depth: 1,
    iat: String(NOW + 500),
    links: { parent: root },
  }) as DelegationEntry;
  const child = made.append(unissued);
  made.append({
    v: 1,
    type: "revocation",
    at: AT,
    cut: digest("cut"),
    revoker: thumbprint(revoker.jwk),
    scope: "*",
    target: "delegation",
    ids: ["child-1"],
    content: {},
    links: {},
    ...change,
  } satisfies EntryPayload);
  return { made, root, child };
}

test("nothing that the cut hop holds is permitted after it; its parent goes on", async () => {
  const { made, root, child } = await cut({});
  made.append(made.action(root, { action: "call-0" }));
  made.append(made.action(child, { action: "call-1" }));
  made.append(made.action(child, { action: "call-2", change: { verdict: "deny", attempt: 0 } }));
  expect(said(await made.verify())).toEqual(["5 permitted_after_cut"]);
});

test("what was permitted before the cut stands", async () => {
  const made = await Deployment.withLog(2);
  expect((await made.verify()).ok).toBe(true);
});

test("a cut of the root's jti, or of its principal, is one of all below it", async () => {
  const principal = { target: "principal", ids: ["p-1"], before: String(NOW) } as const;
  for (const change of [{ ids: ["root-1"] }, principal]) {
    const { made, root, child } = await cut(change);
    made.append(made.action(root, { action: "call-0" }));
    made.append(made.action(child, { action: "call-1" }));
    expect(said(await made.verify())).toEqual(["4 permitted_after_cut", "5 permitted_after_cut"]);
  }
});

test("a dated cut concerns what stands on roots up to its date, whenever the hop was derived", async () => {
  const { made, root, child } = await cut({ target: "principal", ids: ["p-1"], before: String(NOW - 1) });
  made.append(made.action(root, { action: "call-0" }));
  made.append(made.action(child, { action: "call-1" }));
  expect(said(await made.verify())).toEqual([]);
});

test("a cut by a revoker whom the manifest does not name, or not in that scope, is refused and cuts nothing", async () => {
  for (const change of [{ revoker: digest("nobody") }, { scope: "tenant:acme" }]) {
    const { made, child } = await cut(change);
    made.append(made.action(child, { action: "call-1" }));
    expect(said(await made.verify())).toEqual(["3 revoker_not_trusted"]);
  }
});
