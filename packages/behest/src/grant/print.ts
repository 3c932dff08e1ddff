import type { Constraint, ConstraintMap, Json } from "@behest/delegation";
import { CodedError, canonical } from "@behest/jws";
import { printable } from "../printable.ts";
import { parseRule } from "./rule.ts";

const NAME = /^[A-Za-z0-9_.:/-]+$/;

/** A tool's grant as `--tool` takes it. What is well-formed reads back as exactly the same rules. */
export function printTool(tool: string, map: ConstraintMap): string {
  const names = Object.keys(map);
  const named = names.filter((name) => !isRest(name, map)).map((name) => printArgument(name, map[name]!));
  // In a token no rule at all means any arguments.
  const open = names.length === 0 || named.length < names.length;
  return `${printName(tool)}(${[...named, ...(open ? ["*"] : [])].join(", ")})`;
}

function isRest(name: string, map: ConstraintMap): boolean {
  return name === "*" && canonical(map[name]) === '{"constraint_type":"wildcard"}';
}

function printArgument(name: string, constraint: Constraint): string {
  if (constraint.optional !== true) return `${printName(name)}=${printRule(constraint)}`;
  const { optional: _, ...rest } = constraint;
  return `${printName(name)}?=${printRule(rest)}`;
}

function printName(name: string): string {
  return NAME.test(name) ? name : printable(JSON.stringify(name));
}

/** The shortest form that the parser reads as this very constraint; else the constraint itself. */
export function printRule(constraint: Constraint): string {
  const wanted = canonical(constraint);
  return shortForms(constraint).find((text) => readsAs(text, wanted)) ?? printable(wanted);
}

function readsAs(text: string, wanted: string): boolean {
  try {
    return canonical(parseRule(text)) === wanted;
  } catch (error) {
    if (CodedError.isInstance(error)) return false;
    throw error;
  }
}

/** Guesses: {@link printRule} tries them, so that what is shown is never anything but what would be granted. */
function shortForms(constraint: Constraint): string[] {
  const { value, min, max, prefix, address, domain, under, base } = constraint;
  switch (constraint.constraint_type) {
    case "wildcard":
      return ["*"];
    case "exact":
      return [printValue(value)];
    case "one_of":
      return [printValues(constraint["values"])];
    case "not_one_of":
      return [`!${printValues(constraint["excluded"])}`];
    case "subset":
      return [`[${printValues(constraint["allowed"])}]`];
    case "range":
      return [`${bound(min)}..${bound(max)}`];
    case "decimal":
      return [`decimal:${bound(min)}..${bound(max)}`];
    case "prefix":
      return [`${String(prefix)}*`, `${printable(JSON.stringify(prefix))}*`];
    case "email":
      return [address === undefined ? `@${String(domain)}` : String(address)];
    case "path":
      return [under === "/" ? "/**" : `${String(under)}/**`];
    case "url":
      return [`${String(base)}*`, `${String(base)}/*`];
    case "any":
      return [
        list(constraint["constraints"])
          .map((clause) => printRule(clause as Constraint))
          .join("|"),
      ];
    default:
      return [];
  }
}

function bound(value: Json | undefined): string {
  return value === undefined ? "" : String(value);
}

function printValues(values: Json | undefined): string {
  return list(values).map(printValue).join("|");
}

/** A text that reads as itself stands bare; everything else as JSON. */
function printValue(value: Json | undefined): string {
  const bare = typeof value === "string" && readsAs(value, canonical({ constraint_type: "exact", value }));
  return bare ? value : printable(JSON.stringify(value ?? null));
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
