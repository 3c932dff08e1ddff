// Every action is also a signed span. This one prints them; an OTLP exporter sends them where you look at traces.
import { readFile } from "node:fs/promises";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace";
import { generateText, isStepCount } from "ai";
import { guard } from "@behest/ai-sdk";
import { createBehest } from "@behest/core";
import { aiModel as model, aiTools as tools, messages } from "./office.ts";

const exporter = new InMemorySpanExporter();
const sdk = new NodeSDK({
  spanProcessors: [new SimpleSpanProcessor({ exporter })],
  autoDetectResources: false,
});
sdk.start();

const behest = await createBehest();
const session = await behest.open(await readFile("alice.json", "utf8"));
await session.run(() => generateText(guard({ model, tools, messages, stopWhen: isStepCount(10) })));
await behest.close();

for (const { name, attributes } of exporter.getFinishedSpans())
  console.log(name, attributes["behest.verdict"] ?? "", attributes["behest.proof"] ? "signed" : "");
await sdk.shutdown();
