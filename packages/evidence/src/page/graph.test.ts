import { memoryStore, readStore } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Office } from "../../test/office.ts";
import { renderReport, verifyEvidence } from "../index.ts";
import { graphOf } from "./graph.ts";
import { Model } from "./model.ts";
import { behests } from "./steps.ts";

let office: Office;
let model: Model;
beforeAll(async () => {
  office = await Office.open();
  const bundle = await office.reader.evidence();
  model = new Model(bundle, await verifyEvidence(bundle, { owner: office.behest.owner }));
});
afterAll(() => office[Symbol.asyncDispose]());

test("a graph leads from a person through what was delegated to what was done, in the order of the log", () => {
  const [alice, bob] = behests(model).map(({ steps }) => graphOf(model, steps));
  const told = alice!.rows.map(({ node }) =>
    node.kind === "action" ? `${node.of.first.tool} ${node.of.first.verdict}` : node.kind,
  );
  expect(told).toEqual([
    "principal",
    "delegation",
    "look permit",
    "drop deny",
    "pay ask",
    "approval",
    "pay permit",
    "delegation",
    "look permit",
    "look deny",
  ]);
  expect(bob!.rows.map(({ node }) => node.kind)).toEqual(["principal", "delegation", "action", "action"]);
});

test("an approval runs from who asked to what it let start, and a sub-agent comes out of its parent", () => {
  const [{ steps }] = behests(model) as [ReturnType<typeof behests>[number]];
  const { rows, lanes } = graphOf(model, steps);
  const approval = lanes.find(({ kind }) => kind === "approval")!;
  expect(approval).toMatchObject({ out: { row: 4 }, into: [{ row: 6 }] });
  const child = lanes.findLast(({ kind }) => kind === "delegation")!;
  expect(child).toMatchObject({ from: 7, to: 8, out: { row: 1, lane: rows[1]!.lane } });
});

test("no two lines share a lane at the same time", () => {
  for (const { steps } of behests(model)) {
    const { lanes, width } = graphOf(model, steps);
    for (const [i, one] of lanes.entries())
      for (const other of lanes.slice(i + 1))
        if (one.lane === other.lane) expect(one.to < other.from || other.to < one.from).toBe(true);
    expect(Math.max(...lanes.map(({ lane }) => lane))).toBeLessThan(width);
  }
});

test("a thousand actions are drawn in pieces, what is alike once, and the table has each", async () => {
  const store = memoryStore();
  await using behest = await testBehest({
    store,
    policy: "default",
    profiles: {
      look: { effect: "read", boundary: "inside" },
      list: { effect: "read", boundary: "inside" },
    },
  });
  const any = { "*": { constraint_type: "wildcard" } };
  const session = await behest.as("alice", { look: any, list: any });
  const children = await Promise.all(
    Array.from({ length: 20 }, (_, i) => session.delegate({ tools: { look: any }, agent: `helper-${i}` })),
  );
  for (let i = 0; i < 500; i++) await children[i % 20]!.perform({ tool: "look", args: { i } }, async () => i);
  for (let i = 0; i < 500; i++) await session.perform({ tool: "list", args: { i } }, async () => i);
  const bundle = await readStore(store).evidence();
  const { owner } = behest;
  const report = await verifyEvidence(bundle, { owner });
  const page = renderReport(bundle, report, { owner });
  const count = (text: string | RegExp): number => page.split(text).length - 1;
  const { records } = report;
  expect(records.length).toBe(1000);
  expect(count('<article id="')).toBe(records.length);
  const table = page.slice(page.indexOf("Actions, in the order"), page.indexOf('id="delegations"'));
  for (const { index } of records) expect(table).toContain(`<a href="#${index}">`);
  // Each drawing is one that can be looked at.
  for (const drawing of page.split("<svg ").slice(1))
    expect(drawing.split("</svg>")[0]!.split("<text ").length).toBeLessThan(100);
  expect(page).toContain("list × 500 · permitted");
});
