import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Alert } from "../src/alert/alert.ts";

export interface Hook extends AsyncDisposable {
  readonly url: string;
  readonly alerts: Alert[];
  readonly requests: { readonly method: string; readonly type: string; readonly path: string }[];
  /** Resolves once so many requests have come. */
  came(count: number): Promise<void>;
}

/** A real server that alerts are posted to; `answer` gets how many came before. Default: 204. */
export async function hook(
  answer: (response: ServerResponse, before: number) => void = (response) => response.writeHead(204).end(),
): Promise<Hook> {
  const alerts: Alert[] = [];
  const requests: Hook["requests"] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const received = (request: IncomingMessage, body: string): void => {
    const { method = "", url = "", headers } = request;
    requests.push({ method, path: url, type: headers["content-type"] ?? "" });
    if (body !== "") alerts.push(JSON.parse(body) as Alert);
  };
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => (body += part));
    request.on("end", () => {
      received(request, body);
      answer(response, requests.length - 1);
      for (const { count, resolve } of waiting) if (requests.length >= count) resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/alerts`,
    alerts,
    requests,
    came: (count) =>
      new Promise((resolve) => {
        if (requests.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
