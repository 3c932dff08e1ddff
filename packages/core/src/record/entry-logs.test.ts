import { logs } from "@opentelemetry/api";
import {
  InMemoryLogRecordExporter,
  type LogRecordProcessor,
  LoggerProvider,
  SimpleLogRecordProcessor,
} from "@opentelemetry/sdk-logs";
import { parseEntry } from "@behest/provenance";
import { afterEach, expect, test } from "vitest";
import { Estate, decideAll, pay, said } from "../../test/estate.ts";

afterEach(() => logs.disable());

function collect(...before: LogRecordProcessor[]): InMemoryLogRecordExporter {
  const exporter = new InMemoryLogRecordExporter();
  const processors = [...before, new SimpleLogRecordProcessor({ exporter })];
  logs.setGlobalLoggerProvider(new LoggerProvider({ processors }));
  return exporter;
}

/** What was told, by index: hash, type. */
function told(exporter: InMemoryLogRecordExporter): (readonly unknown[])[] {
  return exporter
    .getFinishedLogRecords()
    .map(({ attributes: a }) => [a["behest.index"], a["behest.entry"], a["behest.type"]]);
}

async function written(estate: Estate): Promise<(readonly unknown[])[]> {
  const entries = await estate.engine.entries(0, 10_000);
  return entries.map((jws, index) => {
    const { hash, payload } = parseEntry(jws);
    return [index, hash, (JSON.parse(payload) as { type: string }).type];
  });
}

test.each(["memory", "sqlite"] as const)("each entry is told once, in order: %s store", async (kind) => {
  const exporter = collect();
  using estate = await Estate.make(kind);
  const behest = await estate.open({ logs: "entries" });
  const session = await behest.open(await estate.delegate({ approvals: { pay: { finance: 1 } } }), {
    run: "r",
  });
  expect(await pay(session, "a")).toBe("approval_needed");
  await decideAll(behest, estate.people.cfo);
  expect(await pay(session, "a")).toBe("done");
  await Promise.all(
    Array.from({ length: 600 }, (_, i) =>
      said(
        session.perform({ tool: "look", args: { hidden: "hidden" }, callId: `l${i}` }, async () => "hidden"),
      ),
    ),
  );
  expect(await said(session.perform({ tool: "drop", args: {} }, async () => 1))).toBe("tool_not_granted");
  await behest.erase({ principal: "alice", reason: "hidden", despiteRetention: true });
  await behest.records.list();
  const entries = await written(estate);
  await behest.close();
  expect(entries.length).toBeGreaterThan(1200);
  expect(entries.at(-1)).toContain("erasure");
  expect(told(exporter)).toEqual(entries);
  const records = exporter.getFinishedLogRecords();
  const principals = records.map(({ attributes }) => attributes["behest.principal"]);
  const actions = records.filter(({ attributes }) => attributes["behest.type"] === "action");
  expect(new Set(actions.map(({ attributes }) => attributes["behest.principal"]))).toEqual(
    new Set([principals.find((one) => one !== undefined)]),
  );
  expect(actions.at(-1)).toMatchObject({
    eventName: "behest.entry",
    severityText: "WARN",
    body: "action deny",
    attributes: { "behest.verdict": "deny", "behest.code": "tool_not_granted" },
  });
  for (const { attributes } of records)
    for (const value of Object.values(attributes)) expect(["string", "number"]).toContain(typeof value);
  expect(JSON.stringify(records.map(({ attributes, body }) => [attributes, body]))).not.toMatch(
    /hidden|alice/,
  );
});

test("of several processes on one store each tells its own entries", async () => {
  const exporter = collect();
  using estate = await Estate.make("sqlite");
  const [one, two] = [await estate.open({ logs: "entries" }), await estate.open({ logs: "entries" })];
  const delegation = await estate.delegate();
  for (const [i, behest] of [one, two, one, two].entries())
    await pay(await behest.open(delegation, { run: `r${i}` }), `c${i}`);
  await one.close();
  const entries = await written(estate);
  await two.close();
  expect(told(exporter).toSorted(([a], [b]) => Number(a) - Number(b))).toEqual(entries);
});

test("an SDK that comes later is told everything since the start; one that never comes costs no reading", async () => {
  using estate = await Estate.make();
  const behest = await estate.open({ logs: "entries" });
  let reads = 0;
  const { engine } = estate;
  const { entries } = engine;
  engine.entries = (from, limit) => (reads++, entries.call(engine, from, limit));
  const session = await behest.open(await estate.delegate());
  await pay(session, "a");
  expect(reads).toBe(0);
  const exporter = collect();
  await pay(session, "b");
  const all = await written(estate);
  await behest.close();
  expect(told(exporter)).toEqual(all);
});

test("without the option nothing is told", async () => {
  const exporter = collect();
  using estate = await Estate.make();
  const behest = await estate.open();
  await pay(await behest.open(await estate.delegate()), "a");
  await behest.close();
  expect(told(exporter)).toEqual([]);
});

test("a processor that throws stops neither the application nor what is told next", async () => {
  let thrown = 0;
  const exporter = collect({
    onEmit: () => {
      if (thrown++ % 2 === 0) throw new Error("broken processor");
    },
    forceFlush: async () => {},
    shutdown: async () => {},
  });
  using estate = await Estate.make();
  const behest = await estate.open({ logs: "entries" });
  expect(await pay(await behest.open(await estate.delegate()), "a")).toBe("done");
  const entries = await written(estate);
  await behest.close();
  expect(thrown).toBe(entries.length);
  expect(told(exporter).length).toBe(Math.floor(entries.length / 2));
});
