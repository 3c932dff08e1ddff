import { expect, test } from "vitest";
import { type AatTools, type Arguments, checkArguments } from "../index.ts";

const any = { constraint_type: "wildcard" };
const exact = (value: string | number): { constraint_type: string; value: string | number } => ({
  constraint_type: "exact",
  value,
});
const tools: AatTools = {
  closed: { a: exact(1), b: { ...exact("x"), optional: true } },
  open: { a: exact(1), "*": any },
  free: {},
  odd: Object.fromEntries([["__proto__", exact(1)]]),
  unknown: { a: { constraint_type: "regex", pattern: ".*" } },
};
const call = (tool: string, text: string): unknown =>
  checkArguments(tools, tool, JSON.parse(text) as Arguments);

test("a call inside the grant is let through", () => {
  for (const [tool, text] of [
    ["closed", '{"a":1}'],
    ["closed", '{"a":1.0,"b":"x"}'],
    ["open", '{"a":1,"z":[{}],"*":0,"__proto__":1}'],
    ["free", '{"anything":{"at":"all"}}'],
    ["free", "{}"],
    ["odd", '{"__proto__":1}'],
  ] as const)
    expect([tool, text, call(tool, text)]).toEqual([tool, text, undefined]);
});

test("a tool that is not listed is not granted, whatever objects inherit", () => {
  for (const tool of ["other", "Closed", "__proto__", "constructor", "toString", "hasOwnProperty", ""])
    expect(call(tool, "{}")).toEqual({ code: "tool_not_granted", path: `tools.${tool}` });
});

test("the refusal names the argument, and the constraint that it did not meet", () => {
  const refused = (path: string, constraint?: string): object => ({
    code: "argument_not_granted",
    path: `tools.${path}`,
    ...(constraint && { constraint, argument: path.slice(path.indexOf(".") + 1) }),
  });
  expect(call("closed", '{"a":2}')).toEqual(refused("closed.a", "exact"));
  expect(call("closed", '{"a":"1"}')).toEqual(refused("closed.a", "exact"));
  expect(call("closed", '{"a":1,"b":null}')).toEqual(refused("closed.b", "exact"));
  expect(call("closed", '{"b":"x"}')).toEqual(refused("closed.a", "exact"));
  expect(call("closed", '{"a":1,"c":1}')).toEqual(refused("closed.c"));
  expect(call("closed", '{"a":1,"*":1}')).toEqual(refused("closed.*"));
  expect(call("closed", '{"a":1,"__proto__":1}')).toEqual(refused("closed.__proto__"));
  expect(call("closed", '{"a":1,"toString":1}')).toEqual(refused("closed.toString"));
  expect(call("open", "{}")).toEqual(refused("open.a", "exact"));
  expect(call("odd", "{}")).toEqual(refused("odd.__proto__", "exact"));
  expect(call("odd", '{"__proto__":2}')).toEqual(refused("odd.__proto__", "exact"));
});

test("names that a model made up are shortened and printable in the refusal", () => {
  const name = `\u001b[31m\n\u202e${"secret".repeat(50)}`;
  const { path } = call("closed", JSON.stringify({ a: 1, [name]: 1 })) as { path: string };
  expect(path).toBe(`tools.closed.?[31m??${"secret".repeat(50).slice(0, 57)}…`);
  expect(checkArguments(tools, name, {})?.path).toHaveLength(71);
});

test("a constraint of an unknown type admits nothing", () => {
  expect(call("unknown", '{"a":"x"}')).toMatchObject({ code: "argument_not_granted", constraint: "regex" });
});
