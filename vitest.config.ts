import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// Types are stripped by WebAssembly, once for each thread; V8 may end a process in which many threads begin and end that
// (nodejs/node#64500). With this they find them stripped.
process.env["NODE_COMPILE_CACHE"] ??= fileURLToPath(new URL("node_modules/.cache/compiled", import.meta.url));

export default defineConfig({
  ssr: { resolve: { conditions: ["@behest/source", "node", "default"] } },
  test: {
    include: ["packages/*/src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    pool: "forks",
    execArgv: ["--conditions=@behest/source"],
    // Guards against what hangs: no test is to be failed by a busy machine.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
