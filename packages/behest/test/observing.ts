import { pathToFileURL } from "node:url";
import { createBehest, findLocal, readKeyFile, sqliteStore } from "@behest/core";

/** An agent on its first day: nobody has delegated anything yet. */
const local = findLocal()!;
await using behest = await createBehest({
  trust: { owner: local.owner, manifest: pathToFileURL(local.manifest) },
  signer: readKeyFile(local.signer),
  store: sqliteStore(local.store),
  enforce: "shadow",
  content: "keep",
});
const session = behest.observe({ agent: "assistant" });
for (const name of ["bob", "carol"])
  await session.perform({ tool: "send_mail", args: { to: `${name}@example.com` } }, async () => "sent");
const reader = await session.delegate({ agent: "reader", tools: {} });
await reader.perform({ tool: "read_file", args: { path: "/docs/a.md" } }, async () => "text");
