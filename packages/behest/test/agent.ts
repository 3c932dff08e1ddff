import { readFileSync } from "node:fs";
import { createBehest } from "@behest/core";
import { reportTools } from "@behest/core/adapter";
import { is } from "@behest/delegation";

/** An agent without a framework: two mails, one of them outside what was delegated, and a sub-agent that reads. */
await using behest = await createBehest();
const session = await behest.open(readFileSync(process.argv[2]!, "utf8"), { agent: "assistant" });
reportTools(session, [
  { tool: "send_mail", kind: "wrapped" },
  { tool: "search_web", kind: "wrapped" },
  { tool: "web_search", kind: "provider" },
]);
const mail = { subject: "s", body: "b" };
const sent = async (): Promise<string> => "sent";
await session.perform({ tool: "send_mail", args: { to: "bob@example.com", ...mail } }, sent);
await session.perform({ tool: "send_mail", args: { to: "eve@evil.test", ...mail } }, sent).catch(() => {});
const reader = await session.delegate({
  agent: "reader",
  tools: { read_file: { path: is.under("/docs/a").constraint } },
});
await reader.perform({ tool: "read_file", args: { path: "/docs/a/b" } }, async () => "text");
