import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Workplace } from "../../test/workplace.ts";

let place: Workplace;
beforeAll(() => {
  place = Workplace.used();
  place.must("evidence", "export", "--out", "all.json");
});
afterAll(() => place[Symbol.dispose]());

/** A span that says so of itself. */
function span(attributes: { readonly [name: string]: string }): object {
  return {
    traceId: "a".repeat(32),
    spanId: "b".repeat(16),
    name: "execute_tool read_file",
    attributes: Object.entries(attributes).map(([key, value]) => ({ key, value: { stringValue: value } })),
  };
}

function verify(spans: readonly object[], ...args: string[]): { refusal: string; stdout: string } {
  const text = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
  return place.after(
    (copy) => writeFileSync(join(copy, "otlp.json"), text),
    "verify-spans",
    "otlp.json",
    ...args,
  );
}

test("spans of others say nothing, and records without spans are no fault", () => {
  for (const args of [[], ["--evidence", "all.json"]]) {
    const { refusal, stdout } = verify([span({ "http.method": "GET" })], ...args);
    expect(refusal).toBe("");
    expect(stdout).toContain("No span contradicts a record.");
  }
});

test("a span that claims an action without a proof is told, by its ids", () => {
  const { refusal, stdout } = verify([span({ "behest.action": "made-up" })]);
  expect(refusal).toBe("verification_failed 1");
  expect(stdout).toContain(`${"a".repeat(32)}/${"b".repeat(16)}`);
  expect(stdout).toContain("its proof is gone");
  const { stdout: json } = verify([span({ "behest.action": "made-up" })], "--json");
  expect(JSON.parse(json)).toMatchObject({ ok: false, findings: [{ state: "altered" }] });
});

test("what is no OTLP is refused", () => {
  const written = (text: string) => (copy: string) => writeFileSync(join(copy, "otlp.json"), text);
  expect(place.after(written("<html>"), "verify-spans", "otlp.json").refusal).toBe("malformed_input 1");
  expect(place.after(() => {}, "verify-spans", "nowhere.json").refusal).toBe("file_missing 1");
  expect(place.after(() => {}, "verify-spans").refusal).toBe("usage 2");
});
