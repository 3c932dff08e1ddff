import { resolve } from "node:path";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { CHROMIUM_ARGS, CHROMIUM_LIMIT } from "./chromium.ts";
import { NODE_ONLY } from "./node-only.ts";

export default defineConfig({
  root: resolve(import.meta.dirname, "../.."),
  resolve: { conditions: ["@behest/source", "module", "browser", "import", "default"] },
  test: {
    include: ["packages/{jws,delegation}/src/**/*.test.ts", "test/browser/*.browser.ts"],
    exclude: Object.keys(NODE_ONLY),
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    globalSetup: "test/browser/bundle.setup.ts",
    browser: {
      enabled: true,
      headless: true,
      connectTimeout: CHROMIUM_LIMIT,
      screenshotFailures: false,
      instances: [{ browser: "chromium" }],
      // "playwright" is playwright-core under the name that vitest asks for: no test runner, no downloads.
      provider: playwright({
        launchOptions: {
          executablePath: process.env["CHROMIUM"]!,
          args: [...CHROMIUM_ARGS],
          timeout: CHROMIUM_LIMIT,
        },
      }),
    },
  },
});
