import { join } from "node:path";
import { expect, test } from "vitest";
import { Workplace } from "../test/workplace.ts";

test("a first day: what is observed without a delegation proposes the one to sign", () => {
  using place = new Workplace();
  place.must("init");
  place.script(join(import.meta.dirname, "../test/observing.ts"));
  expect(place.must("records")).toMatch(
    /observed +assistant +send_mail +permit \(observed\) +approval_needed +done/,
  );
  expect(place.must("verify")).toMatch(
    /3 actions were only tried out.*\n3 of them were observed without a delegation\.\n/,
  );
  expect(place.json("verify")).toMatchObject({ ok: true, shadow: 3, observed: 3, findings: [] });
  place.must("evidence", "export", "--out", "all.json");
  expect(place.must("evidence", "verify", "all.json")).toMatch(
    /permit \(observed\)(?:.|\n)*3 actions were only tried out.*\n3 of them were observed without a delegation\.\n/,
  );
  expect(place.must("inspect", "#1")).toMatch(/action entry(?:.|\n)*observed +true/);

  const { suggestions } = place.json("policy", "suggest") as { suggestions: { grant: string }[] };
  const proposed = suggestions.map(({ grant }) => grant);
  expect(proposed).toEqual(["send_mail(to=@example.com)", "read_file(path=/docs/**)"]);
  const tools = proposed.flatMap((grant) => ["--tool", grant]);
  place.must("delegate", "--principal", "alice", "--task", "Answer my mail", "--out", "alice.json", ...tools);
  expect(place.must("inspect", "alice.json")).toMatch(/send_mail\(to=@example\.com\)/);
});
