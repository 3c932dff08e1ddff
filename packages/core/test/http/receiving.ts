import { generatePrivateJwk, publicKey, signerOf } from "@behest/jws";
import { type Cut, readCut } from "@behest/provenance";
import { expect } from "vitest";
import { type SignalReceiverOptions, type Transmitter, signalReceiver } from "../../src/http/index.ts";
import { type Served, serve } from "./serve.ts";
import { IDP, type Key, RECEIVER, newKey } from "./transmitter.ts";

export const revoker = signerOf(await generatePrivateJwk());
/** The key of {@link idp}. */
export const rsa: Key = await newKey("RS256");
export const idp: Transmitter = { iss: IDP, audience: RECEIVER, speaksFor: [IDP], jwk: rsa.jwk };
export const alice = { principal: "alice", issuer: IDP };

export type Receiving = Served & { readonly cuts: Cut[] };

/** A receiver behind a real server, of {@link idp} with changes, or of others. */
export async function receiving(
  from: Partial<Transmitter> | { readonly transmitters: readonly Transmitter[] } = {},
  change: Partial<SignalReceiverOptions> = {},
): Promise<Receiving> {
  const cuts: Cut[] = [];
  const { push } = signalReceiver({
    transmitters: "transmitters" in from ? from.transmitters : [{ ...idp, ...from } as Transmitter],
    revoker,
    submit: async ({ jws }) => void cuts.push(await readCut(jws, publicKey(revoker.jwk))),
    ...change,
  });
  return { ...(await serve(push)), cuts };
}

export async function push(
  to: Served,
  token: string | Promise<string>,
  type = "application/secevent+jwt",
): Promise<Response> {
  return fetch(to.origin, { method: "POST", body: await token, headers: { "content-type": type } });
}

/** The status, and what a refusal names. */
export async function verdict(to: Served, token: string | Promise<string>): Promise<string> {
  const response = await push(to, token);
  const text = await response.text();
  expect(text).not.toMatch(/alice|eyJ/);
  if (response.status === 202) return `202${text}`;
  const { err, description } = JSON.parse(text) as { err: string; description: string };
  expect(description).not.toBe("");
  return `${response.status} ${err}`;
}
