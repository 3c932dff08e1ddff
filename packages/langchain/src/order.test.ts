import { createAgent, createMiddleware, modelRetryMiddleware, toolRetryMiddleware } from "langchain";
import { expect, test } from "vitest";
import { mailer, scripted } from "../test/support.ts";
import { behestMiddleware } from "./index.ts";

const { sendMail } = mailer();
const build = (middleware: Parameters<typeof createAgent>[0]["middleware"]) =>
  createAgent({ model: scripted(), tools: [sendMail], middleware: middleware! });
const wrapsTools = createMiddleware({ name: "w", wrapToolCall: (request, handler) => handler(request) });
const wrapsModels = createMiddleware({ name: "m", wrapModelCall: (request, handler) => handler(request) });

test.for([
  ["a retry of tool calls", toolRetryMiddleware()],
  ["a retry of model calls", modelRetryMiddleware()],
  ["whatever wraps tool calls", wrapsTools],
  ["whatever wraps model calls", wrapsModels],
] as const)("%s outside of behest is refused when the agent is built", ([, other]) => {
  expect(() => build([other, ...behestMiddleware()])).toThrow(
    expect.objectContaining({ code: "middleware_order" }),
  );
});

test("the list in brackets, which LangChain would take for one middleware without hooks, is refused", () => {
  expect(() => build([behestMiddleware()] as never)).toThrow(
    expect.objectContaining({ code: "middleware_order" }),
  );
});

test("the same middleware inside is accepted, before and after the seal", () => {
  build(behestMiddleware([wrapsTools, wrapsModels, toolRetryMiddleware()]));
  build([...behestMiddleware([wrapsTools]), wrapsModels]);
});

test("what wraps nothing may stand outside", () => {
  build([createMiddleware({ name: "b", beforeModel: () => undefined }), ...behestMiddleware()]);
});

test("each agent is judged by itself, also where they share the middleware", () => {
  const shared = behestMiddleware();
  build(shared);
  expect(() => build([wrapsTools, ...shared])).toThrow(/middleware_order/);
  build(shared).withConfig({ tags: ["again"] });
  expect(() => build([wrapsModels, ...shared])).toThrow(/middleware_order/);
});

test("two of them in one agent are refused", () => {
  expect(() => build([...behestMiddleware(), ...behestMiddleware()])).toThrow(/defined multiple times/);
});
