import type { Facts } from "@behest/core/replay";
import { type AatTools, checkArguments, compareDecimals, compareGrants, isDecimal } from "@behest/delegation";
import { CodedError, type Json, parseJson } from "@behest/jws";
import type { ActionEntry, ApprovalEntry, EvidenceBundle } from "@behest/provenance";
import { type Judged, PROVEN } from "./grants.ts";
import { namedArguments, openingOf } from "./parts.ts";

/** What a mandate is committed to beside what its statement says. */
interface Terms {
  readonly constraints: AatTools[string];
  /** Currency → decimal. */
  readonly amount?: { readonly [currency: string]: string };
}

/**
 * Whether an attempt lies within the terms of the mandates that it rests on: its arguments, and its own amount. How much
 * all that rest on one spend together is not counted. Undefined where it rests on none.
 */
export function judgeTerms(
  { tool }: ActionEntry,
  linked: readonly ApprovalEntry[],
  shown: {
    readonly bundle: EvidenceBundle;
    readonly args: Json | undefined;
    readonly facts: Json | undefined;
  },
): Judged | undefined {
  const found = linked.flatMap((approval) =>
    approval.kind === "mandate" ? [judgeMandate(tool, approval.content.terms, shown)] : [],
  );
  return (
    found.find(({ state }) => state === "failed") ?? found.find(({ state }) => state !== "proven") ?? found[0]
  );
}

function judgeMandate(
  tool: string,
  commitment: string,
  { bundle, args, facts }: Parameters<typeof judgeTerms>[2],
): Judged {
  const opened = openingOf(bundle, commitment);
  if (opened === "absent") return notShown("terms_not_shown", "the terms of its mandate are not shown");
  const terms = opened === "altered" ? undefined : termsIn(tool, opened.text);
  if (!terms) return failed("what is shown as the terms of its mandate is not what was signed");
  if (args === undefined) return notShown("args_not_shown", "its arguments are not shown");
  if (checkArguments({ [tool]: terms.constraints }, tool, namedArguments(args)))
    return failed("its arguments are beyond the terms of its mandate");
  if (!terms.amount) return PROVEN;
  if (facts === undefined) return notShown("facts_not_shown", "what it spends is not shown");
  return isWithin(terms.amount, facts) ? PROVEN : failed("it spends more than its mandate allows");
}

function termsIn(tool: string, text: string): Terms | undefined {
  try {
    const terms = parseJson(text) as unknown as Terms;
    compareGrants({ [tool]: terms.constraints }, {});
    return Object.keys(terms.constraints).length > 0 ? terms : undefined;
  } catch (error) {
    if (CodedError.isInstance(error) || error instanceof TypeError) return undefined;
    throw error;
  }
}

function isWithin(amounts: NonNullable<Terms["amount"]>, facts: Json): boolean {
  const { amount } = (facts ?? {}) as unknown as Partial<Facts>;
  const { value, currency } = amount ?? {};
  const spent = typeof value === "number" ? String(value) : value;
  const most = Object.hasOwn(amounts, String(currency)) ? amounts[String(currency)] : undefined;
  return (
    [spent, most].every((one) => typeof one === "string" && isDecimal(one)) &&
    compareDecimals(spent!, most!) <= 0
  );
}

function notShown(code: string, message: string): Judged {
  return { state: "not_shown", code, message };
}

function failed(message: string): Judged {
  return { state: "failed", code: "mandate_exceeded", message };
}
