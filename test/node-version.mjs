// First line of the scripts that run TypeScript as it stands: says what to do where Node is too old.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `node_too_old: this is Node ${process.versions.node}; running from source needs 22.18 or later. "npm install" brings one along, unless install scripts are off: run it without --ignore-scripts, or use a newer Node.`,
  );
  process.exit(1);
}
