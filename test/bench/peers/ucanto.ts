// UCAN by ucanto: delegations over CBOR, and the call itself is signed by the last holder, like our proof. What a
// capability's caveats mean is the verifier's code (`derives`). Unknown caveats are ignored, not refused: it has no
// closed world.
import { extract } from "@ucanto/core/delegation";
import { ed25519, Verifier } from "@ucanto/principal";
import { Schema, access, capability, fail, ok } from "@ucanto/validator";
import { CALL } from "../chains.ts";

interface Limits {
  readonly [name: string]: unknown;
}

const within = (narrower: (claim: Limits, proof: Limits) => boolean) =>
  ((claim: { with: string; nb: Limits }, proof: { with: string; nb: Limits }) =>
    claim.with === proof.with && narrower(claim.nb, proof.nb) ? ok({}) : fail("wider")) as never;

const pay = capability({
  can: "tool/pay",
  with: Schema.did(),
  nb: Schema.struct({ amount: Schema.number(), currencies: Schema.array(Schema.string()) }),
  derives: within(
    (claim, proof) =>
      (claim["amount"] as number) <= (proof["amount"] as number) &&
      (claim["currencies"] as string[]).every((each) => (proof["currencies"] as string[]).includes(each)),
  ),
});

const capabilitiesAt = (space: `did:key:${string}`, hop: number) => [
  { can: "tool/pay" as const, with: space, nb: { amount: 100 - hop, currencies: ["EUR", "USD"] } },
  { can: "tool/read_file" as const, with: space, nb: { under: `/data${"/team".repeat(hop)}` } },
  { can: "tool/send_mail" as const, with: space, nb: { to: "@example.com" } },
];

export async function ucantoWork(): Promise<() => Promise<void>> {
  const { delegate, invoke } = await import("@ucanto/core");
  const [issuer, agent, service] = await Promise.all([1, 2, 3].map(() => ed25519.generate()));
  if (!issuer || !agent || !service) throw new Error("no keys");
  const expiration = (): number => Math.floor(Date.now() / 1000) + 3600;
  return async () => {
    const root = await delegate({
      issuer,
      audience: agent,
      capabilities: capabilitiesAt(issuer.did(), 0) as never,
      expiration: expiration(),
    });
    const helper = await ed25519.generate();
    const child = await delegate({
      issuer: agent,
      audience: helper,
      capabilities: capabilitiesAt(issuer.did(), 1) as never,
      proofs: [root],
      expiration: expiration(),
    });
    const invocation = await invoke({
      issuer: helper,
      audience: service,
      capability: {
        can: "tool/pay",
        with: issuer.did(),
        nb: { amount: CALL.args.amount, currencies: [CALL.args.currency] },
      },
      proofs: [child],
    }).delegate();
    const archive = await invocation.archive();
    if (!archive.ok) throw archive.error;

    const received = await extract(archive.ok);
    if (!received.ok) throw received.error;
    const granted = await access(received.ok as never, {
      authority: service,
      capability: pay,
      principal: Verifier,
      validateAuthorization: () => ok({}),
    });
    if (granted.error) throw granted.error;
  };
}
