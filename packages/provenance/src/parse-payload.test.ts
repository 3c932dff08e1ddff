import { canonical } from "@behest/jws";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { AT, Deployment, digest, outcome } from "../test/deployment.ts";
import { ProvenanceError, parsePayload } from "./index.ts";

const made = await Deployment.make();
const hash = digest("entry");
const malformed = expect.objectContaining({ code: "malformed_entry" }) as ProvenanceError;

/** One payload a type with every optional member there is. */
const full = [
  { v: 1, type: "trust", at: AT, manifest: "m", certificate: "c" },
  made.delegation({
    spawn: "a-1",
    content: { token: hash, agent: hash, task: hash },
    links: { parent: hash, interaction: hash },
  }),
  {
    ...made.interaction(hash),
    content: {
      instruction: hash,
      system: hash,
      tools: hash,
      response: hash,
      alternatives: hash,
      reasoning: hash,
    },
  },
  made.action(hash, {
    action: "a-1",
    interaction: hash,
    change: {
      findings: [{ check: "grant", code: "ok", rule: "r", path: "args.to" }],
      enforce: "shadow",
      policy: hash,
      trace: { trace: "0".repeat(32), span: "0".repeat(16) },
      links: { delegation: hash, interaction: hash, approvals: [hash], override: hash },
    },
  }),
  observed(made.action(hash, { action: "a-1" })),
  observed(made.interaction(hash)),
  ...[
    { kind: "decision", actions: ["a-1"], links: { actions: [hash] } },
    { kind: "mandate", content: { terms: hash }, links: { delegation: hash } },
    { kind: "override", content: { reason: hash }, links: { delegation: hash } },
  ].map((own) => ({ v: 1, type: "approval", at: AT, decision: "jws", ...own })),
  ...[
    { kind: "principal", principals: ["p-1"], early: true, links: {} },
    { kind: "hold", principals: ["p-1"], links: {} },
    { kind: "release", links: { hold: hash } },
  ].map((own) => ({ v: 1, type: "erasure", at: AT, content: { reason: hash }, ...own })),
  { v: 1, type: "access", at: AT, by: "p-9", what: "records", principals: ["p-1"], content: {}, links: {} },
  outcome(hash, { action: "a-1", credential: "mail", started: AT, ended: AT }),
] as unknown as { [name: string]: unknown }[];

function observed(payload: object): object {
  const { decision: _, ...rest } = payload as { decision?: string };
  return { ...rest, enforce: "shadow", observed: true, links: {} };
}

/** Paths of all members, also those of members. */
function* paths(value: object, above: readonly string[] = []): Generator<readonly string[]> {
  for (const [name, member] of Object.entries(value)) {
    yield [...above, name];
    if (typeof member === "object" && member !== null) yield* paths(member as object, [...above, name]);
  }
}

function changed(
  payload: object,
  path: readonly string[],
  change: (parent: { [name: string]: unknown }, name: string) => void,
): object {
  const copy = structuredClone(payload);
  const parent = path
    .slice(0, -1)
    .reduce((at, name) => (at as { [name: string]: object })[name]!, copy as object);
  change(parent as { [name: string]: unknown }, path.at(-1)!);
  return copy;
}

function isRead(text: string): boolean {
  try {
    parsePayload(text);
    return true;
  } catch (error) {
    if (ProvenanceError.isInstance(error) && error.code === "malformed_entry") return false;
    throw error;
  }
}

test("every type of payload reads back as it was written", () => {
  for (const payload of full) expect(parsePayload(canonical(payload))).toEqual(payload);
});

test("a member of another type is refused, wherever it stands", () => {
  for (const payload of full)
    for (const path of paths(payload))
      for (const other of [null, true, -1, 1.5, "", [null], { x: 1 }]) {
        // These members are never anything but true.
        if (other === true && ["observed", "early"].includes(path.at(-1)!)) continue;
        const wrong = changed(payload, path, (parent, name) => (parent[name] = other));
        expect(() => parsePayload(canonical(wrong))).toThrow(malformed);
      }
});

test("a member that nobody knows is refused, wherever it stands, and not repeated in the message", () => {
  for (const payload of full) {
    const objects = [[], ...paths(payload)].filter((path) => {
      const at = path.reduce<unknown>((value, name) => (value as { [name: string]: unknown })[name], payload);
      return typeof at === "object" && !Array.isArray(at);
    });
    for (const path of objects) {
      const wrong = changed(payload, [...path, "alice@example.com"], (parent, name) => (parent[name] = "x"));
      expect(() => parsePayload(canonical(wrong))).toThrow(malformed);
      expect(() => parsePayload(canonical(wrong))).not.toThrow(/alice/);
    }
  }
});

test("without its required members a payload is refused, without the others it is not", () => {
  const optional =
    /^(manifest|certificate|issuer|spawn|content\.(agent|task|system|alternatives|reasoning|result)|links\.(parent|interaction|approvals|override)|findings\.0\.(rule|path)|enforce|policy|credential|trace|started|ended|early)$/;
  for (const payload of full)
    for (const path of paths(payload)) {
      // Of a list, an element may go; its members may not.
      if (/^\d+$/.test(path.at(-1)!)) continue;
      const less = canonical(changed(payload, path, (parent, name) => delete parent[name]));
      const name = path.join(".");
      // Of what was observed both marks are required.
      const marks = "observed" in payload && name === "enforce";
      // A hold of nobody named is one of everybody.
      const everybody = payload["kind"] === "hold" && name === "principals";
      expect([path, isRead(less)]).toEqual([path, everybody || (optional.test(name) && !marks)]);
    }
});

test("an erasure names whom", () => {
  const nobody = { v: 1, type: "erasure", at: AT, content: { reason: hash }, links: {}, principals: [] };
  for (const kind of ["principal", "hold"])
    expect(() => parsePayload(canonical({ ...nobody, kind }))).toThrow(malformed);
});

test("a trust entry that carries nothing is refused", () => {
  expect(() => parsePayload(canonical({ v: 1, type: "trust", at: AT }))).toThrow(malformed);
});

test("only canonical JSON of a known type is read", () => {
  const text = canonical(full.at(-1));
  for (const wrong of [
    ` ${text}`,
    text.replace(",", ", "),
    text.replace('"v":1', '"v":1.0'),
    text.replace('{"action"', '{"action":"x","action"'),
    text.replace('"outcome","v"', '"pruned","v"'),
    text.replace('"outcome","v"', '"erasure","v"'),
    text.replace('"outcome","v"', '"constructor","v"'),
    "null",
    "[]",
    "{}",
    "",
  ]) {
    expect(wrong).not.toBe(text);
    expect(() => parsePayload(wrong)).toThrow(malformed);
  }
});

test("whatever the text, a payload is read or refused", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(() => parsePayload(text)).toThrow(malformed);
    }),
  );
});
