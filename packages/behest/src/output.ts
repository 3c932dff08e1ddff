import { styleText } from "node:util";
import { printable } from "./printable.ts";

type Style = Parameters<typeof styleText>[0];

/** A piece of text; a styled one is coloured on a terminal only. */
export type Cell = string | { readonly text: string; readonly style: Style };

/** Characters of one cell of a table: what is longer is cut, and `--json` has all of it. */
const WIDEST = 60;

export function print(...cells: Cell[]): void {
  process.stdout.write(`${cells.map((cell) => paint(cell)).join("")}\n`);
}

/** One value a line, whole. */
export function printJson(value: unknown): void {
  process.stdout.write(`${printable(JSON.stringify(value))}\n`);
}

export function dim(text: string): Cell {
  return { text, style: "dim" };
}

export function bold(text: string): Cell {
  return { text, style: "bold" };
}

export function good(text: string): Cell {
  return { text, style: "green" };
}

export function bad(text: string): Cell {
  return { text, style: "red" };
}

/** Aligned columns under a heading. `whole`: the last column is not cut. */
export function printTable(
  heading: readonly string[],
  rows: readonly (readonly Cell[])[],
  { whole = false }: { readonly whole?: boolean } = {},
): void {
  const cells = rows.map((row) =>
    row.map((cell, i) => (whole && i === heading.length - 1 ? cell : cut(cell))),
  );
  printColumns([heading.map(dim), ...cells]);
}

/** A name and what it is, a line each; nothing is cut. */
export function printFacts(facts: readonly (readonly [name: string, value: Cell])[]): void {
  printColumns(facts.map(([name, value]) => [dim(name), value]));
}

function printColumns(rows: readonly (readonly Cell[])[]): void {
  const widths: number[] = [];
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, shown(cell).length);
  for (const row of rows) {
    const line = row.map((cell, i) =>
      i === row.length - 1 ? paint(cell) : paint(cell) + " ".repeat(widths[i]! - shown(cell).length),
    );
    process.stdout.write(`${line.join("  ").trimEnd()}\n`);
  }
}

function textOf(cell: Cell): string {
  return typeof cell === "string" ? cell : cell.text;
}

function shown(cell: Cell): string {
  return printable(textOf(cell));
}

function cut(cell: Cell): Cell {
  const text = shown(cell);
  if (text.length <= WIDEST) return cell;
  const short = `${text.slice(0, WIDEST - 1)}…`;
  return typeof cell === "string" ? short : { ...cell, text: short };
}

function paint(cell: Cell): string {
  const text = shown(cell);
  // styleText also knows NO_COLOR; FORCE_COLOR alone must not colour a file.
  const coloured = typeof cell !== "string" && process.stdout.isTTY;
  return coloured ? styleText(cell.style, text, { stream: process.stdout }) : text;
}
