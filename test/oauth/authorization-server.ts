// For tests: an authorization server that does verify, over real sockets: clients, actor tokens, subjects.
import { type IncomingMessage, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createPublicKey, verify } from "node:crypto";
import { type Replay, type Anchor, DelegationError, replayCache } from "@behest/delegation";
import { verifyActorToken } from "@behest/delegation/oauth";
import { type Signer, generatePrivateJwk, signCompact, signerOf } from "@behest/jws";

const TYPE = "urn:ietf:params:oauth:token-type:";

export interface Client {
  readonly secret?: string;
  /** Of `private_key_jwt`, Ed25519. */
  readonly jwk?: object;
}

export interface Server extends AsyncDisposable {
  readonly issuer: string;
  readonly token_endpoint: string;
  readonly replay: Replay;
  /** Requests as they came: the form, and what came of it. */
  readonly seen: { readonly form: URLSearchParams; readonly said: { readonly [name: string]: unknown } }[];
  /** Changes what is answered next. */
  answer: (honest: { [name: string]: unknown }) => { [name: string]: unknown };
}

export interface Setting {
  /** Whose roots it takes for a person's. */
  readonly issuers: readonly Anchor[];
  readonly clients: { readonly [id: string]: Client };
  /** Access tokens of persons that it has issued. */
  readonly people: { readonly [token: string]: string };
}

export async function authorizationServer({ issuers, clients, people }: Setting): Promise<Server> {
  const key: Signer = signerOf(await generatePrivateJwk());
  const replay = replayCache();
  const seen: Server["seen"] = [];
  let issued = 0;

  const exchange = async (form: URLSearchParams, client: string): Promise<{ [name: string]: unknown }> => {
    const wanted = (name: string): string => form.get(name) ?? "";
    if (wanted("grant_type") !== "urn:ietf:params:oauth:grant-type:token-exchange")
      return { error: "unsupported_grant_type" };
    if (wanted("actor_token_type") !== `${TYPE}jwt`) return { error: "invalid_request" };
    const actor = await verifyActorToken(wanted("actor_token"), {
      issuers,
      endpoint: server.token_endpoint,
      client,
      replay,
    });
    const { delegation, root, tool, act } = actor;
    const subject = wanted("subject_token");
    const person =
      wanted("subject_token_type") === `${TYPE}jwt` && subject === root
        ? delegation.principal
        : people[subject];
    if (person !== delegation.principal) return { error: "invalid_grant", error_description: subject };
    if (wanted("audience") === "https://forbidden.test") return { error: "invalid_target" };
    const claims = { iss: server.issuer, sub: person, act, aud: wanted("audience"), scope: wanted("scope") };
    const now = Math.floor(Date.now() / 1000);
    const times = { iat: now, exp: now + 60, jti: `at-${++issued}` };
    const token = await signCompact({ typ: "at+jwt" }, { ...claims, ...times, tool } as never, key);
    return {
      access_token: token,
      issued_token_type: `${TYPE}access_token`,
      token_type: "Bearer",
      expires_in: 60,
    };
  };

  const http = createServer((request, response) => {
    void (async () => {
      const form = new URLSearchParams(await bodyOf(request));
      const client = authenticated(request, form);
      const said = server.answer(
        client === undefined
          ? { error: "invalid_client" }
          : await exchange(form, client).catch((error: unknown) => {
              if (!DelegationError.isInstance(error)) throw error;
              return { error: "invalid_request", error_description: error.code };
            }),
      );
      seen.push({ form, said });
      response.writeHead("error" in said ? 400 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(said));
    })();
  });

  /** The client's id, once it has shown who it is. */
  const authenticated = (request: IncomingMessage, form: URLSearchParams): string | undefined => {
    const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    const [name, secret] = Buffer.from(basic ?? "", "base64")
      .toString()
      .split(":");
    const known = Object.hasOwn(clients, name ?? "") ? clients[name!] : undefined;
    if (
      known?.secret !== undefined &&
      known.secret === decodeURIComponent((secret ?? "").replaceAll("+", " "))
    )
      return name;
    const id = form.get("client_id") ?? "";
    const jwk = Object.hasOwn(clients, id) ? clients[id]?.jwk : undefined;
    const [head, claims, signature] = (form.get("client_assertion") ?? "").split(".");
    if (!jwk || !signature) return undefined;
    const { aud, sub } = JSON.parse(Buffer.from(claims!, "base64url").toString()) as {
      aud: string;
      sub: string;
    };
    const signed = verify(
      null,
      Buffer.from(`${head}.${claims}`),
      createPublicKey({ key: jwk as never, format: "jwk" }),
      Buffer.from(signature, "base64url"),
    );
    return signed && aud === server.issuer && sub === id ? id : undefined;
  };

  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const server: Server = {
    issuer,
    token_endpoint: `${issuer}/token`,
    replay,
    seen,
    answer: (honest) => honest,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        http.closeAllConnections();
        http.close(() => resolve());
      }),
  };
  return server;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const part of request.setEncoding("utf8")) body += String(part);
  return body;
}
