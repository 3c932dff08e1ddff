#!/usr/bin/env node
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major > 22 || (major === 22 && minor >= 16)) {
  // Only here: an older Node cannot load what follows.
  const { run } = await import("./cli.ts");
  process.exitCode = await run(process.argv.slice(2));
} else {
  console.error(
    `node_too_old: behest needs Node 22.16 or newer, this is ${process.versions.node}. Install a newer one.`,
  );
  process.exitCode = 1;
}
