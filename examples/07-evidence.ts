// What an agent did, in one file: whoever gets it verifies it offline, and needs only the owner's thumbprint.
import { readFile, writeFile } from "node:fs/promises";
import { generateText, isStepCount } from "ai";
import { guard } from "@behest/ai-sdk";
import { createBehest, readStore, sqliteStore } from "@behest/core";
import { renderReport, verifyEvidence } from "@behest/evidence";
import { readBundle } from "@behest/provenance";
import { aiModel as model, aiTools as tools, messages } from "./office.ts";

// Where agents run. What is kept (encrypted) can be shown later; else there are commitments to it.
const behest = await createBehest({ content: "keep" });
const session = await behest.open(await readFile("alice.json", "utf8"), { agent: "assistant" });
await session.run(() => generateText(guard({ model, tools, messages, stopWhen: isStepCount(10) })));
await behest.close();

// Later, or elsewhere: only reads. `behest evidence export --session <id> --out evidence.json` does the same.
const reader = readStore(sqliteStore(".behest/log.db"));
await writeFile("evidence.json", JSON.stringify(await reader.evidence({ session: session.id })));
await reader.close();

// At the auditor's: the file came from anybody, the thumbprint from the owner.
const text = await readFile("evidence.json", "utf8");
const { owner } = JSON.parse(await readFile(".behest/config.json", "utf8")) as { owner: string };

const bundle = readBundle(text);
const report = await verifyEvidence(bundle, { owner });
console.log(report.ok ? "verified" : "not verified", `(${report.log.completeness})`);
for (const { principal, agent, tool, verdict, code, states } of report.records)
  console.log(principal?.subject, agent, tool, verdict, code, `authority ${states.authority}`);
await writeFile("evidence.html", renderReport(bundle, report, { owner })); // a page for people

// What somebody has changed in it does not go through.
const forged = readBundle(text.replaceAll("eve@evil.test", "bob@example.com"));
const { ok, findings } = await verifyEvidence(forged, { owner });
const codes = findings.filter(({ state }) => state === "failed").map(({ code }) => code);
console.log(ok ? "verified" : "not verified", ...new Set(codes));
