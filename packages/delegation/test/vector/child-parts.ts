import type { Json } from "@behest/jws";
import { given, parent, refusedChild } from "./child-steps.ts";
import { first, issuer, second, stranger } from "./key.ts";
import { NOW, child, restricting, segment } from "./token.ts";
import { type Case, type Vector, accept, delegations, named, refuse } from "./vector.ts";

type Signing = Parameters<typeof child>[2];

/** Steps 4a to 4b5. */
export function childParts(): readonly Vector[] {
  const header = (name: string, changed: NonNullable<Signing>["header"]): Case =>
    refusedChild("header_refused", "4a")(name, {}, { header: changed! });
  const signature = refusedChild("signature_invalid", "4b");
  const tampered = (name: string, leaf: string): Case =>
    refuse(name, "signature_invalid", { step: "4b", hop: 1 }, { leaf });
  const shape = (step: string, member: string, values: readonly (Json | undefined)[]): readonly Case[] =>
    values.map((value) =>
      refusedChild("malformed_delegation", step)(`${member} ${named(value)}`, { [member]: value }),
    );
  const honest = child(parent);
  return [
    delegations(
      "110-step-4a",
      "alg, typ and crit of a child",
      [
        accept("members that only inform", {
          leaf: child(parent, {}, { header: { kid: "k2", jwk: stranger.jwk } }),
        }),
        ...[undefined, "none", "EdDSA", "HS256"].map((alg) => header(`alg ${named(alg)}`, { alg })),
        ...[undefined, "JWT", "aat-pop+jwt"].map((typ) => header(`typ ${named(typ)}`, { typ })),
        header("crit empty", { crit: [] }),
        header("crit of what nobody knows", { crit: ["x"], x: 1 }),
        header("crit of more than bhst", { ...restricting({ fan_out: 1 }), crit: ["bhst", "x"], x: 1 }),
        header("not JSON", "{"),
      ],
      given,
    ),
    delegations(
      "111-step-4b",
      "Signature of a child, under the parent's cnf.jwk",
      [
        signature("a stranger's", {}, { key: stranger }),
        signature(
          "a stranger's, with its key in the header",
          {},
          { key: stranger, header: { jwk: stranger.jwk } },
        ),
        signature("the issuer's", {}, { key: issuer }),
        signature("the new holder's", {}, { key: second }),
        refuse(
          "the grandparent's",
          "signature_invalid",
          { step: "4b", hop: 2 },
          { chain: [parent, honest], leaf: child(honest, {}, { key: first }) },
        ),
        tampered(
          "other claims",
          segment(honest, 1, () => child(parent, { jti: "x" }).split(".")[1]!),
        ),
        tampered(
          "no signature",
          segment(honest, 2, () => ""),
        ),
        tampered(
          "the parent's signature",
          segment(honest, 2, () => parent.split(".")[2]!),
        ),
      ],
      given,
    ),
    delegations(
      "112-step-4b1",
      "jti of a child",
      [refusedChild("malformed_delegation", "4b1")("empty", { jti: "" })],
      given,
    ),
    delegations(
      "113-step-4b2",
      "cnf.jwk of a child",
      shape("4b2", "cnf", [
        undefined,
        null,
        {},
        { jwk: null },
        { jkt: second.thumbprint },
        { jwk: { ...second.jwk, d: second.jwk.x } },
      ]),
      given,
    ),
    delegations(
      "114-step-4b3",
      "authorization_details of a child",
      shape("4b3", "authorization_details", [undefined, null, {}, "t"]),
      given,
    ),
    delegations(
      "115-step-4b4",
      "Depths of a child",
      [
        ...shape("4b4", "del_depth", [undefined, null, "1", -1, 1.5, true]),
        ...shape("4b4", "del_max_depth", [undefined, null, "3", -1, 2.5]),
      ],
      given,
    ),
    delegations(
      "116-step-4b5",
      "iss, par_hash and dates of a child",
      [
        ...shape("4b5", "iss", [undefined, null, 7]),
        ...shape("4b5", "par_hash", [undefined, null, 7]),
        ...shape("4b5", "iat", [undefined, null, String(NOW), NOW - 0.5]),
        ...shape("4b5", "exp", [undefined, null, String(NOW + 9), NOW + 9.5]),
      ],
      given,
    ),
  ];
}
