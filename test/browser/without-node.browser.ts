import { expect, test } from "vitest";

test("nothing of Node is here, so the packages run on what browsers have", () => {
  const { process, Buffer } = globalThis as { process?: { getBuiltinModule?: unknown }; Buffer?: unknown };
  expect([process?.getBuiltinModule, Buffer]).toEqual([undefined, undefined]);
  expect(globalThis).toHaveProperty("navigator.userAgent", expect.stringContaining("Chrome"));
});
