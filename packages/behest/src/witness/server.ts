import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { Witness } from "./witness.ts";

/** 63 hashes and the longest note. */
const MOST = 160 * 1024;

/** `POST /add-checkpoint`, `GET /<SHA-256 of the origin, hex>/checkpoint`. TLS is for a proxy in front of it. */
export function serve(witness: Witness): Server {
  return createServer((request, response) => {
    answer(witness, request, response).catch(() => {
      // Nothing was signed, or nothing was kept: the caller asks again.
      if (!response.headersSent) send(response, 500, "the witness cannot answer now\n");
      else response.destroy();
    });
  });
}

async function answer(witness: Witness, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url = "" } = request;
  const monitored = /^\/([0-9a-f]{64})\/checkpoint$/.exec(url)?.[1];
  if (url === "/add-checkpoint") {
    if (method !== "POST") return send(response, 405, "POST it\n", { allow: "POST" });
    const body = await bodyOf(request);
    if (body === "too long") return send(response, 413, "the request is too long\n", { connection: "close" });
    if (body === "not UTF-8") return send(response, 400, "the request is not UTF-8\n");
    const { status, type, body: said } = await witness.add(body.text);
    return send(response, status, said, type && { "content-type": type });
  }
  if (monitored === undefined) return send(response, 404, "nothing is here\n");
  if (method !== "GET" && method !== "HEAD") return send(response, 405, "GET it\n", { allow: "GET, HEAD" });
  const note = witness.checkpoint(monitored);
  return note === undefined ? send(response, 404, "nothing was cosigned\n") : send(response, 200, note);
}

function send(
  response: ServerResponse,
  status: number,
  body: string,
  headers: { readonly [name: string]: string } = {},
): void {
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "x-content-type-options": "nosniff",
    "content-length": Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}

async function bodyOf(
  request: IncomingMessage,
): Promise<{ readonly text: string } | "not UTF-8" | "too long"> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Left open, so that the answer still reaches whoever sends too much.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MOST) return "too long";
    chunks.push(chunk);
  }
  try {
    const bytes = Buffer.concat(chunks);
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return "not UTF-8";
  }
}
