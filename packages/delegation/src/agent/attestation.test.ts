import { canonical, signCompact, toBase64url, utf8 } from "@behest/jws";
import { expect, test } from "vitest";
import {
  type AttestClaims,
  DelegationError,
  attestAgent,
  generateHolder,
  verifyAttestation,
} from "../index.ts";

const [deployer, holder, other] = [await generateHolder(), await generateHolder(), await generateHolder()];
const identity = { deployer: "acme", model: "m-1", version: "2.0" };
const NOW = 1_800_000_000;
const claims: AttestClaims = { identity, holder: holder.jwk, expiresIn: "1h", now: NOW };
const deployers = [{ deployer: "acme", jwk: deployer.jwk }];
const options = { deployers, holder: holder.jwk, now: NOW };
const jws = await attestAgent(claims, deployer);
const TYP = "behest-agent+jwt";
const honest = {
  iss: "acme",
  agent_identity: identity,
  cnf: { jkt: holder.thumbprint },
  iat: NOW,
  exp: NOW + 3600,
};

/** Signs without the checks of attestAgent. */
const forge = async (over: object, header: object = {}, signer = deployer): Promise<string> =>
  signCompact({ typ: TYP, ...header }, canonical({ ...honest, ...over }), signer);
const refused = async (text: string, code: string, over: object = {}): Promise<void> => {
  const error: unknown = await verifyAttestation(text, { ...options, ...over }).then(
    () => expect.unreachable(),
    (e: unknown) => e,
  );
  expect(DelegationError.isInstance(error)).toBe(true);
  expect(error).toMatchObject({ code });
  expect(String(error)).not.toMatch(/acme|m-1|eyJ/);
};

test("what a deployer attests of an agent is read back, and until when", async () => {
  expect(await verifyAttestation(jws, options)).toEqual({ identity, exp: NOW + 3600 });
  expect(await verifyAttestation(await forge({}), options)).toEqual({ identity, exp: NOW + 3600 });
});

test("an old and a new key of one deployer hold side by side", async () => {
  const both = [...deployers, { deployer: "acme", jwk: other.jwk }];
  await verifyAttestation(await attestAgent(claims, other), { ...options, deployers: both });
  await verifyAttestation(jws, { ...options, deployers: both.toReversed() });
});

test("an agent cannot present another agent's attestation", async () => {
  await refused(jws, "holder_mismatch", { holder: other.jwk });
});

test("an attestation is worth nothing from its last second on, nor before it was made", async () => {
  await verifyAttestation(jws, { ...options, now: NOW + 3599 });
  await refused(jws, "attestation_expired", { now: NOW + 3600 });
  await verifyAttestation(jws, { ...options, now: NOW - 30 });
  await refused(jws, "lifetime_refused", { now: NOW - 31 });
  await refused(await forge({ exp: NOW + 91 * 86_400 }), "lifetime_refused");
});

test("only a listed key of the very deployer that is named attests, never one that the token brings", async () => {
  await refused(jws, "deployer_untrusted", { deployers: [] });
  await refused(jws, "deployer_untrusted", { deployers: [{ deployer: "acme", jwk: other.jwk }] });
  await refused(jws, "deployer_untrusted", { deployers: [{ deployer: "evil", jwk: deployer.jwk }] });
  const named = { ...identity, deployer: "bank" };
  const two = [...deployers, { deployer: "bank", jwk: other.jwk }];
  await refused(await forge({ iss: "bank", agent_identity: named }), "deployer_untrusted", {
    deployers: two,
  });
  await refused(await forge({}, { jwk: other.jwk, kid: "acme" }, other), "deployer_untrusted");
});

test.each<[string, object]>([
  ["iss is another deployer", { iss: "bank" }],
  ["no deployer in it", { agent_identity: { model: "m" } }],
  ["an empty identity", { agent_identity: {} }],
  ["a member nobody compares", { agent_identity: { ...identity, region: "eu" } }],
  ["a claim more", { aud: "x" }],
  ["no key", { cnf: {} }],
  ["a key beside the thumbprint", { cnf: { jkt: holder.thumbprint, jwk: other.jwk } }],
  ["no end", { exp: "never" }],
  ["an end in half seconds", { exp: NOW + 0.5 }],
])("what is not exactly an attestation is refused: %s", async (_name, over) => {
  await refused(await forge(over), "malformed_attestation");
});

test("another token of the deployer, another algorithm and damaged ones are refused", async () => {
  await refused(await forge({}, { typ: "aat+jwt" }), "header_refused");
  await refused(await forge({}, { crit: ["x"], x: 1 }), "header_refused");
  const none = toBase64url(utf8(canonical({ alg: "none", typ: TYP })));
  await refused(`${none}.${jws.split(".")[1]!}.`, "header_refused");
  await refused(`${jws.slice(0, -8)}AAAAAAAA`, "deployer_untrusted");
  const twice = canonical(honest).replace('"iat"', `"iss":"acme","iat"`);
  await refused(await signCompact({ typ: TYP }, twice, deployer), "malformed_attestation");
  for (const text of ["", "a.b.c", "x".repeat(70_000)]) await refused(text, "malformed_attestation");
});

test.each<[string, object]>([
  ["no deployer", { identity: { model: "m" } }],
  ["no identity", { identity: {} }],
  ["more than 90 days", { expiresIn: "91d" }],
  ["no key", { holder: {} }],
  ["a member that would be dropped", { audience: "x" }],
])("what cannot be attested is not signed: %s", async (_name, over) => {
  await expect(attestAgent({ ...claims, ...over }, deployer)).rejects.toMatchObject({
    code: "malformed_request",
  });
});
