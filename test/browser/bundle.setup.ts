// Runs in Node, before the tests in the browser: makes the evidence that they verify there.
import type { TestProject } from "vitest/node";
import { Office } from "../../packages/evidence/test/office.ts";

declare module "vitest" {
  interface ProvidedContext {
    readonly bundle: string;
    readonly owner: string;
  }
}

export default async function setup(project: TestProject): Promise<void> {
  await using office = await Office.open();
  project.provide("bundle", JSON.stringify(await office.reader.evidence()));
  project.provide("owner", office.behest.owner);
}
