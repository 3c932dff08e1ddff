// First line of the scripts that run TypeScript as it stands: says what to do where Node is too old.
if (Number(process.versions.node.split(".")[0]) < 24) {
  console.error(
    `node_too_old: this is Node ${process.versions.node}; running from source needs 24 or later. "npm install" brings one along, unless install scripts are off: run it without --ignore-scripts, or use a newer Node.`,
  );
  process.exit(1);
}
