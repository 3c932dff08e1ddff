import fc from "fast-check";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { testDeployment } from "../../test/store/deployment.ts";
import { memoryStore } from "./memory.ts";
import { type ActionState, LAPSED, mayFinish, ruleBegin } from "./rules.ts";
import { attachTo } from "./sqlite/attach.ts";
import { openForWriting } from "./sqlite/file.ts";
import type { Writer } from "./sqlite/writer.ts";
import { type Append, type Begin, type Finish, engine as engineOf } from "./types.ts";

const folder = mkdtempSync(join(tmpdir(), "behest-rules-"));
afterAll(() => rmSync(folder, { recursive: true }));

const outcome = fc.constantFrom("done", "failed", "aborted", "unknown");
const beginning = fc.record({
  args: fc.constantFrom("x", "y"),
  given: fc.constantFrom(undefined, "g", "h"),
  attempt: fc.integer({ min: 1, max: 3 }),
  repeatable: fc.boolean(),
  expires: fc.constantFrom(50, 150),
  living: fc.boolean(),
});

test("whatever is asked, an attempt starts once and ends once, and what is no read starts once", () => {
  const step = fc.oneof(
    fc.record({ begin: beginning, now: fc.constantFrom(0, 100) }),
    fc.record({
      finish: fc.record({ attempt: fc.integer({ min: 1, max: 3 }), outcome }),
      holds: fc.boolean(),
    }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let state: ActionState | undefined;
      const started: Begin[] = [];
      const ended: number[] = [];
      for (const next of steps) {
        if ("finish" in next) {
          const finish = { action: "a", code: "ok", ...next.finish } as Finish;
          if (!mayFinish(state, finish, next.holds)) continue;
          expect(next.holds).toBe(true);
          ended.push(finish.attempt);
          state = { ...state!, outcome: finish.outcome, code: finish.code };
          continue;
        }
        const { living, given, ...rest } = next.begin;
        const begin: Begin = { action: "a", ...rest, ...(given !== undefined && { given }) };
        let ruling = ruleBegin(state, begin, next.now, () => living);
        if (ruling.next === "lapse") {
          expect(living).toBe(false);
          ended.push(state!.attempt);
          state = { ...state!, ...LAPSED };
          ruling = ruleBegin(state, begin, next.now, () => living);
        }
        const reparsed = given !== undefined && state?.given === given;
        if (state && state.args !== begin.args && !reparsed)
          expect(ruling).toMatchObject({ answer: { code: "action_conflict" } });
        if (ruling.next !== "start") continue;
        expect(begin.expires).toBeGreaterThan(next.now);
        started.push(begin);
        const { args, attempt, repeatable } = begin;
        state = { args, given, attempt, repeatable, charged: [] };
      }
      expect(started.map(({ attempt }) => attempt)).toEqual(started.map((_, i) => i + 1));
      expect(new Set(started.map(({ args }) => args)).size).toBeLessThanOrEqual(1);
      // Every start but a last one still under way has ended, in order, once.
      expect(ended).toEqual(started.slice(0, ended.length).map(({ attempt }) => attempt));
      expect(started.length - ended.length).toBe(state && state.outcome === undefined ? 1 : 0);
      if (started.length > 1) expect(started.every(({ repeatable }) => repeatable)).toBe(true);
    }),
  );
});

/** A request to any of a few names, so that requests meet. */
type Step =
  | { readonly begin: Begin }
  | { readonly finish: Finish }
  | { readonly append: Append }
  | { readonly forget: string }
  | { readonly pass: number };

const name = fc.constantFrom("a", "b", "c");
const bytes = fc.constantFrom("1", "2").map((text) => new TextEncoder().encode(text));
const contents = (time: fc.Arbitrary<number>) =>
  fc.array(
    fc.record(
      { id: name, principal: fc.constant("p"), sealed: bytes, until: time },
      { requiredKeys: ["id", "principal", "sealed"] },
    ),
    {
      maxLength: 2,
    },
  );

function steps(start: number): fc.Arbitrary<Step[]> {
  const time = fc.constantFrom(start + 50, start + 500);
  const content = contents(time).map((rows) =>
    rows.filter((row, i) => rows.findIndex(({ id }) => id === row.id) === i),
  );
  const entry = fc.constant('{"test":true}');
  const charge = fc.record({
    counter: name,
    add: fc.constantFrom("0", "0.1", "1"),
    most: fc.constantFrom("0.2", "1.1", "3"),
    until: time,
  });
  const charges = fc.array(charge, { maxLength: 3 });
  const begin = fc.record(
    {
      action: name,
      args: fc.constantFrom("x", "x", "x", "y"),
      given: fc.constantFrom("g", "h"),
      attempt: fc.constantFrom(1, 1, 2),
      repeatable: fc.boolean(),
      expires: time,
      entry,
      content,
      charges,
    },
    { requiredKeys: ["action", "args", "attempt", "repeatable", "expires"] },
  );
  const finish = fc.record(
    {
      action: name,
      attempt: fc.constantFrom(1, 1, 2),
      outcome,
      code: fc.constant("ok"),
      entry,
      content,
      result: name,
      unspent: charges,
    },
    { requiredKeys: ["action", "attempt", "outcome", "code"] },
  );
  const append = fc.record(
    {
      entry,
      content,
      once: name,
      charge,
      journal: fc.record({ run: name, key: name, sealed: bytes, principal: fc.constant("p"), until: time }),
      delegation: fc.record(
        { leaf: name, jti: name, principal: fc.constant("p"), request: name, sealed: bytes },
        { requiredKeys: ["leaf", "jti", "principal", "sealed"] },
      ),
    },
    { requiredKeys: ["entry"] },
  );
  return fc.array(
    fc.oneof(
      fc.record({ begin }),
      fc.record({ finish }),
      fc.record({ append }),
      fc.record({ forget: name }),
      fc.record({ pass: fc.constantFrom(10, 60) }),
    ) as fc.Arbitrary<Step>,
    { maxLength: 25 },
  );
}

/** Hashes and heads differ, since keys do. */
function comparable(answer: unknown): unknown {
  return JSON.parse(
    JSON.stringify(answer ?? null, (key, value: unknown) =>
      key === "hash" || key === "head" ? typeof value : value instanceof Uint8Array ? [...value] : value,
    ),
  );
}

test("the stores give the same answers to the same requests", async () => {
  const deployment = await testDeployment();
  let made = 0;
  const start = Date.now();
  await fc.assert(
    fc.asyncProperty(steps(start), async (requests) => {
      let now = start;
      const memory = memoryStore({ now: () => now })[engineOf];
      await memory.attach(await deployment.identity());
      const path = join(folder, `${made++}.db`);
      const by = { identity: await deployment.identity(), lease: 1e9, clock: () => now };
      const writer = await attachTo(openForWriting(path, 1000), path, by);
      for (const step of requests) {
        if ("pass" in step) now += step.pass;
        else
          expect(comparable(await askWriter(writer, step))).toEqual(
            comparable(await askMemory(memory, step)),
          );
      }
      writer.close();
    }),
    { numRuns: 60 },
  );
});

type Asked = Exclude<Step, { pass: number }>;

async function askMemory(
  memory: ReturnType<typeof memoryStore>[typeof engineOf],
  step: Asked,
): Promise<unknown> {
  try {
    if ("begin" in step) return await memory.begin(step.begin);
    if ("finish" in step) return await memory.finish(step.finish);
    if ("append" in step) return await memory.append(step.append);
    return await memory.forget(step.forget);
  } catch (error) {
    return (error as { code: string }).code;
  }
}

async function askWriter(writer: Writer, step: Asked): Promise<unknown> {
  const write =
    "begin" in step
      ? ({ op: "begin", request: step.begin } as const)
      : "finish" in step
        ? ({ op: "finish", request: step.finish } as const)
        : "append" in step
          ? ({ op: "append", request: step.append } as const)
          : ({ op: "forget", run: step.forget } as const);
  const [answer] = writer.write([write]);
  return answer && "error" in answer ? answer.error.code : answer?.value;
}
