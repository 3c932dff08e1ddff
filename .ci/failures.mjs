// node failures.mjs <title> <log> [<report>]: what failed in a step, one line each: out of vitest's report
// (JSON), where there is one, and out of what the step printed.
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";

const MOST = 15;
const [title, log, report] = process.argv.slice(2);
const lines = stripVTControlCharacters(readFileSync(log, "utf8"))
  .split("\n")
  .map((line) => line.trim())
  .filter((line) => line !== "");
const failures = [];

/** The first line of a message of several, without what tells where. */
function add(where, message = "") {
  const [first] = stripVTControlCharacters(message).trim().split("\n");
  failures.push(`${where}: ${first.slice(0, 240)}`);
}

const files = reported();
if (files) {
  for (const { name, message, assertionResults } of files) {
    const file = relative("", name);
    if (message) add(file, message);
    for (const { status, ancestorTitles, title: test, failureMessages } of assertionResults)
      if (status === "failed")
        add([file, ...ancestorTitles.filter(Boolean), test].join(" > "), failureMessages[0]);
  }
} else {
  for (const [i, line] of lines.entries())
    if (/^FAIL +\S/.test(line)) add(line.replace(/^FAIL +/, ""), lines[i + 1]);
}

/** Undefined: the step has no report, or did not come to its end. */
function reported() {
  try {
    return JSON.parse(readFileSync(report, "utf8")).testResults;
  } catch {
    return undefined;
  }
}

// Errors that no test was waiting for: a banner, the message, its place, and the file that was running.
const unhandled = lines.findIndex((line) => /^⎯+ Unhandled Errors ⎯+$/.test(line));
for (let i = unhandled + 1; unhandled >= 0 && i < lines.length; i++) {
  const [, kind] = /^⎯+ (.*[^⎯]) ⎯+$/.exec(lines[i]) ?? [];
  if (!kind) continue;
  const from = lines.slice(i).find((line) => line.startsWith("This error originated in "));
  add(`${kind}${from ? ` in ${from.split('"')[1]}` : ""}`, lines[i + 1]);
}

if (failures.length === 0) {
  const told = lines.filter((line) => /\berror\b|\bfailed\b|not ok/i.test(line));
  for (const line of (told.length > 0 ? told : lines).slice(told.length > 0 ? 0 : -1).slice(0, 3))
    add(title, line);
}
if (failures.length === 0) add(title, "it said nothing");
for (const failure of failures.slice(0, MOST)) console.log(`  ${failure}`);
if (failures.length > MOST) console.log(`  and ${failures.length - MOST} more`);
