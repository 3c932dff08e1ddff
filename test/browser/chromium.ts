import { existsSync } from "node:fs";

const KNOWN = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Where Chromium is on this machine. Without it a test that needs it is left out with one line, and in CI it fails. */
export const CHROMIUM: string | undefined = process.env["CHROMIUM"] ?? KNOWN.find((path) => existsSync(path));

/** ms in which it starts, and its pages load: far beyond what a busy machine takes. */
export const CHROMIUM_LIMIT = 120_000;

/** For machines without a sandbox or a display; nothing is asked of the network. */
export const CHROMIUM_ARGS: readonly string[] = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
