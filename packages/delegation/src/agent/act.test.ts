import { thumbprint } from "@behest/jws";
import { expect, test } from "vitest";
import {
  type DelegationLike,
  deriveDelegation,
  generateHolder,
  issueDelegation,
  toActClaim,
  verifyDelegation,
} from "../index.ts";

const [issuer, orchestrator, reader, clerk] = [
  await generateHolder(),
  await generateHolder(),
  await generateHolder(),
  await generateHolder(),
];
const iss = "https://issuer.test";
const URI = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:";
const act = async (chain: DelegationLike) =>
  toActClaim(await verifyDelegation(chain, { issuers: [{ iss, jwk: issuer.jwk }] }));
const claims = {
  issuer: iss,
  holder: orchestrator.jwk,
  principal: "alice",
  task: "t",
  tools: {},
  expiresIn: "1h",
} as const;

test("the one who acts is outermost, whoever acted before is inside", async () => {
  const root = await issueDelegation({ ...claims, agent: "orchestrator" }, issuer);
  const child = await deriveDelegation(
    root,
    { holder: reader.jwk, tools: {}, agent: "reader" },
    orchestrator,
  );
  const leaf = await deriveDelegation(child, { holder: clerk.jwk, tools: {} }, reader);
  expect(await act(root)).toEqual({ sub: "alice", iss, act: { sub: "orchestrator", iss } });
  expect(await act(leaf)).toEqual({
    sub: "alice",
    iss,
    act: {
      sub: URI + clerk.thumbprint,
      act: {
        sub: "reader",
        iss: URI + thumbprint(orchestrator.jwk),
        act: { sub: "orchestrator", iss },
      },
    },
  });
});

test("an agent cannot be named by another one's key", async () => {
  for (const agent of [URI + clerk.thumbprint, URI.toUpperCase() + clerk.thumbprint])
    expect((await act(await issueDelegation({ ...claims, agent }, issuer))).act).toEqual({
      sub: URI + orchestrator.thumbprint,
    });
});
