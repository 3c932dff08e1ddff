import { type KeyObject, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { type IncomingMessage, type ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";

/** DER: a tag, the length of what follows, and that. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}
const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const bytes = (hex: string): Buffer => Buffer.from(hex, "hex");
const time = (text: string): Buffer => der(0x18, Buffer.from(text));

/** A certificate for 127.0.0.1 and localhost that signs itself (RFC 5280, 4.1; RFC 8410), in DER. */
export function certificateOf(publicKey: KeyObject, privateKey: KeyObject): Buffer {
  const ed25519 = sequence(bytes("06032b6570"));
  // Another name each time: of two certificates of one name only the first that is trusted would be looked at.
  const common = Buffer.from(`localhost ${randomBytes(8).toString("hex")}`);
  const name = sequence(der(0x31, sequence(bytes("0603550403"), der(0x0c, common))));
  const names = sequence(der(0x82, Buffer.from("localhost")), der(0x87, Buffer.of(127, 0, 0, 1)));
  const alternative = sequence(bytes("0603551d11"), der(0x04, names));
  const authority = sequence(bytes("0603551d13"), bytes("0101ff"), der(0x04, sequence(bytes("0101ff"))));
  const tbs = sequence(
    der(0xa0, bytes("020102")),
    der(0x02, Buffer.of(1), randomBytes(15)),
    ed25519,
    name,
    sequence(time("20200101000000Z"), time("20991231235959Z")),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(alternative, authority)),
  );
  return sequence(tbs, ed25519, der(0x03, Buffer.of(0), sign(null, tbs, privateKey)));
}

export interface LocalServer extends AsyncDisposable {
  readonly origin: string;
  /** Paths asked for, in order. */
  readonly asked: readonly string[];
}

type Answer = (path: string, response: ServerResponse, request: IncomingMessage) => void;

/** A real HTTPS server on 127.0.0.1, whose certificate this process trusts from here on. */
export async function localServer(answer: Answer): Promise<LocalServer> {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const body = certificateOf(publicKey, privateKey).toString("base64").replace(/.{64}/g, "$&\n");
  const cert = `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
  setDefaultCACertificates([...getCACertificates("default"), cert]);
  const asked: string[] = [];
  const key = privateKey.export({ type: "pkcs8", format: "pem" });
  const server = createServer({ cert, key }, (request, response) => {
    asked.push(request.url!);
    answer(request.url!, response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
