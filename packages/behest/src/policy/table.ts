import { dirname, resolve } from "node:path";
import { type Policies, type PolicyDecision, loadPolicies, printLimit } from "@behest/core/policy";
import type { Json } from "@behest/jws";
import { readText } from "../file.ts";
import { malformed, members, readAction, readJson, requestOf } from "./action.ts";

/** What a row expects, and what came of it. */
export interface Tested {
  readonly name: string;
  readonly expected: string;
  readonly found: string;
  readonly rules: readonly string[];
  readonly ok: boolean;
}

const ROW = new Set(["name", "policy", "action", "expect", "group", "need", "rule", "limit"]);

/** Runs a table of tests; folders in it are relative to its file. Throws `malformed_input`, `policy_…`. */
export async function runTable(path: string, policy: string | undefined): Promise<Tested[]> {
  const rows = readJson(await readText(path), path);
  if (!Array.isArray(rows) || rows.length === 0)
    throw malformed(`${path}: a table is a list of at least one test.`);
  const base = path === "-" ? process.cwd() : dirname(resolve(path));
  const loaded = new Map<string, Promise<Policies>>();
  const tested: Tested[] = [];
  for (const [i, row] of (rows as Json[]).entries()) {
    const where = `${path}, test ${i + 1}`;
    const read = readRow(row, where, policy);
    const folder = read.policy === "default" ? read.policy : resolve(base, read.policy);
    if (!loaded.has(folder)) loaded.set(folder, loadPolicies(folder));
    const policies = await loaded.get(folder)!;
    tested.push(judged(read, policies.decide(requestOf(readAction(read.action, where)))));
  }
  return tested;
}

interface Row {
  readonly name: string;
  readonly policy: string;
  readonly action: Json | undefined;
  readonly expect: string;
  readonly group?: string;
  readonly need?: number;
  readonly rule?: string;
  /** One of those that count for it, as `explain` prints it. */
  readonly limit?: string;
}

function readRow(value: Json, where: string, standing: string | undefined): Row {
  const row = members(value);
  const stranger = row && Object.keys(row).find((name) => !ROW.has(name));
  if (!row || stranger !== undefined)
    throw malformed(`${where}: a test has ${[...ROW].join(", ")}, and nothing else.`);
  const { name, action, expect, group, need, rule, limit, policy = standing } = row;
  if (typeof name !== "string") throw malformed(`${where}: "name" is a text.`);
  if (expect !== "permit" && expect !== "ask" && expect !== "deny")
    throw malformed(`${where}: "expect" is permit, ask or deny.`);
  if (typeof policy !== "string") throw malformed(`${where}: "policy" is a folder or "default".`);
  if ((group ?? need) !== undefined && expect !== "ask")
    throw malformed(`${where}: only an ask has a "group" and a "need".`);
  if (group !== undefined && typeof group !== "string") throw malformed(`${where}: "group" is a text.`);
  if (need !== undefined && typeof need !== "number") throw malformed(`${where}: "need" is a number.`);
  if (rule !== undefined && typeof rule !== "string")
    throw malformed(`${where}: "rule" is the id of a policy.`);
  if (limit !== undefined && (typeof limit !== "string" || expect === "deny"))
    throw malformed(`${where}: "limit" is the text of one, and what is denied has none.`);
  return {
    name,
    policy,
    action,
    expect,
    ...(group !== undefined && { group }),
    ...(need !== undefined && { need }),
    ...(rule !== undefined && { rule }),
    ...(limit !== undefined && { limit }),
  };
}

function judged({ name, expect, group, need, rule, limit }: Row, decided: PolicyDecision): Tested {
  const { decision, rules } = decided;
  const limits = decided.decision === "deny" ? [] : (decided.limits ?? []).map(printLimit);
  const asks = decided.decision === "ask" ? decided.asks : [];
  const met =
    decision === expect &&
    (expect !== "ask" ||
      (group ?? need) === undefined ||
      asks.some((ask) => (group ?? ask.group) === ask.group && (need ?? ask.need) === ask.need)) &&
    (rule === undefined || rules.includes(rule)) &&
    (limit === undefined || limits.includes(limit));
  const expected = [expect, group, need, rule, limit].filter((part) => part !== undefined).join(" ");
  const asked = asks.map((ask) => `${ask.group} ${ask.need}`);
  const found = [decision, ...asked, ...(limit === undefined ? [] : limits)].join(" ");
  return { name, expected, found, rules, ok: met };
}
