import type { Signer } from "@behest/jws";
import { expect, test } from "vitest";
import { key } from "../test/deployment.ts";
import { parseWitnessPolicy, printVkey } from "./index.ts";
import { isMet, keysIn } from "./witness-policy.ts";

const keys = await Promise.all(Array.from({ length: 6 }, () => key()));
const vkey = (i: number, type: "log" | "witness" = "witness"): string =>
  printVkey({ name: `w.example/${i}`, jwk: keys[i]!.jwk, type });
const lines = (...text: string[]): string => `${text.join("\n")}\n`;
const met = (text: string, ...cosigned: number[]): boolean => {
  const by = new Set(cosigned.map((i) => (keys[i] as Signer).jwk.x));
  return isMet(parseWitnessPolicy(text), ({ jwk }) => by.has(jwk.x));
};

test("the example of the specification: two of one organisation and one of another", () => {
  const policy = lines(
    `log ${vkey(0, "log")} https://log.example/`,
    "",
    "# who watches",
    `witness X1 ${vkey(0)}`,
    `  witness\tX2 ${vkey(1)} https://x2.example/`,
    `witness X3 ${vkey(2)}`,
    "group X-witnesses 2 X1 X2 X3",
    `witness Y1 ${vkey(3)}`,
    `witness Y2 ${vkey(4)}`,
    "group Y-witnesses any Y1 Y2",
    "group X-and-Y all X-witnesses Y-witnesses",
    "quorum X-and-Y",
  );
  expect(parseWitnessPolicy(policy).logs).toMatchObject([{ name: "w.example/0" }]);
  expect(keysIn(parseWitnessPolicy(policy))).toHaveLength(5);
  expect(met(policy, 0, 1, 3)).toBe(true);
  expect(met(policy, 0, 2, 4)).toBe(true);
  expect(met(policy, 0, 1, 2)).toBe(false);
  expect(met(policy, 0, 3, 4)).toBe(false);
  expect(met(policy)).toBe(false);
});

test("a quorum is one witness, a group, or none", () => {
  expect(met(lines(`witness A ${vkey(0)}`, "quorum A"), 0)).toBe(true);
  expect(met(lines(`witness A ${vkey(0)}`, "quorum A"), 1)).toBe(false);
  expect(met(lines("quorum none"))).toBe(true);
});

test("a key that a caller lists twice counts once", () => {
  const [{ jwk }] = [keys[0]!];
  const twice = {
    need: 2,
    keys: [
      { name: "a", jwk },
      { name: "b", jwk },
    ],
  };
  expect(isMet(twice, () => true)).toBe(false);
  expect(isMet({ need: 1 }, () => true)).toBe(false);
});

test.each<[string, string[]]>([
  ["no quorum", [`witness A ${vkey(0)}`]],
  ["two of them", ["quorum none", "quorum none"]],
  ["a name that is not known", ["quorum B"]],
  ["a name that comes later", ["quorum A", `witness A ${vkey(0)}`]],
  ["a name twice", [`witness A ${vkey(0)}`, `witness A ${vkey(1)}`, "quorum A"]],
  ["a key twice", [`witness A ${vkey(0)}`, `witness B ${vkey(0)}`, "quorum A"]],
  ["a member of two groups", [`witness A ${vkey(0)}`, "group G any A", "group H any A", "quorum H"]],
  ["a member twice", [`witness A ${vkey(0)}`, "group G 2 A A", "quorum G"]],
  ["more than there are", [`witness A ${vkey(0)}`, "group G 2 A", "quorum G"]],
  ["a group of nobody", ["group G all", "quorum G"]],
  ["none of them", [`witness A ${vkey(0)}`, "group G 0 A", "quorum G"]],
  ["a threshold that is none", [`witness A ${vkey(0)}`, "group G x A", "quorum G"]],
  ["none as a member", ["group G any none", "quorum G"]],
  ["none as a name", [`witness none ${vkey(0)}`, "quorum none"]],
  ["a log's key as a witness's", [`witness A ${vkey(0, "log")}`, "quorum A"]],
  ["a witness's key as a log's", [`log ${vkey(0)}`, "quorum none"]],
  ["another word", ["witnesses A", "quorum none"]],
  ["a carriage return", ["quorum none\r"]],
  ["words that are too many", ["quorum none none"]],
])("a policy with %s is refused", (_, text) => {
  expect(() => parseWitnessPolicy(lines(...text))).toThrow(
    expect.objectContaining({ code: "malformed_witness_policy" }) as Error,
  );
});
