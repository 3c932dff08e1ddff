import { addressOf } from "../address.ts";
import { BehestError } from "../error.ts";

/** Of an answer: far more than a token takes. */
const MAX_BODY = 262_144;

/** Where tokens are asked for: https, or http on this very machine. Throws `config_invalid`. */
export function endpointOf(address: string): { readonly href: string; readonly local: boolean } {
  const endpoint = addressOf(address);
  if (!endpoint)
    throw new BehestError(
      "config_invalid",
      "config_invalid: tokenExchange: token_endpoint is an https URL, without a user or a fragment.",
    );
  return endpoint;
}

/** `fetch`, with an answer of a bounded size, read whole. */
export async function boundedFetch(url: string, init: RequestInit): Promise<Response> {
  const { body, status, headers } = await fetch(url, init);
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body ?? []) {
    size += part.byteLength;
    // Leaving the loop gives the connection up.
    if (size > MAX_BODY) throw new TypeError("the answer is too large");
    parts.push(part);
  }
  return new Response(Buffer.concat(parts), { status, headers });
}
