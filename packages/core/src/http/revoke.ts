import { type Json, type Signer, parseJson } from "@behest/jws";
import { type CutTarget, signCut, targetOfSubject } from "@behest/provenance";
import type { SignedCut } from "../types.ts";
import { bodyOf, checkPost } from "./posted.ts";
import { type Handler, Refusal, answering } from "./refusal.ts";
import { type Subject, isObject, isSubject } from "./subject.ts";

/** Somebody who is known, and what they may have cut. */
export interface Caller {
  /** Stands in the cut's reason. */
  readonly name: string;
  may(target: CutTarget): boolean;
}

export interface TokenRevocation {
  /** Who calls (a bearer token, a client's certificate): undefined for nobody that is known. It leaves the body alone. */
  readonly caller: (request: Request) => Caller | undefined | Promise<Caller | undefined>;
  /** What a subject of a format that says nothing here, such as `email`, stands for; asked before all others too. */
  readonly target?: (subject: Subject) => CutTarget | undefined | Promise<CutTarget | undefined>;
  /** Signs the cuts. */
  readonly revoker: Signer;
  /** Takes a cut in, such as `submitTo(…)`, or `behest.revoke` of a process that runs no agents. */
  readonly submit: (cut: SignedCut) => Promise<void>;
  /** ms that a body may take to come in. Default 10,000. */
  readonly timeout?: number;
}

/**
 * Takes `POST {"sub_id": …}` (draft-parecki-oauth-global-token-revocation) and has what it names cut: 204 once that is
 * durable. It holds a revoker's key, so it runs on the revoker's side and never in a process that runs agents.
 * Formats: `iss_sub`, `opaque`, `jwt_id`, and `complex` of one member `user`, `session`, `application` or `tenant`.
 * 400 for a body or format that says nothing here, 401, 403 for what the caller may not have cut, 404 where `target`
 * knows no such subject, 405, 408, 413 above 65,536 bytes, 415, 503 where it could not be taken in.
 */
export function globalTokenRevocation(options: TokenRevocation): Handler {
  const { revoker, submit, timeout } = options;
  return answering(async (request) => {
    checkPost(request);
    const caller = await options.caller(request);
    if (!caller)
      throw new Refusal(401, "authentication_failed", "who calls is not known", {
        headers: { "www-authenticate": "Bearer" },
      });
    const target = await targetOf(
      subjectIn(await bodyOf(request, { type: "application/json", timeout })),
      options,
    );
    // A promise would be true.
    if (caller.may(target) !== true) throw new Refusal(403, "access_denied", "not theirs to revoke");
    await submit(await signCut(target, { reason: `global token revocation, by ${caller.name}` }, revoker));
    return new Response(null, { status: 204, headers: { "cache-control": "no-store" } });
  });
}

function subjectIn(text: string): Subject {
  let body: Json;
  try {
    body = parseJson(text);
  } catch (cause) {
    throw new Refusal(400, "invalid_request", "not strict JSON", { cause });
  }
  const subject = isObject(body) && Object.keys(body).length === 1 ? body["sub_id"] : undefined;
  if (!isSubject(subject))
    throw new Refusal(400, "invalid_request", "expected sub_id alone, with its format");
  return subject;
}

async function targetOf(subject: Subject, { target }: TokenRevocation): Promise<CutTarget> {
  const found = (await target?.(subject)) ?? targetOfSubject(subject);
  if (found) return found;
  throw target
    ? new Refusal(404, "invalid_request", "there is no such subject here")
    : new Refusal(400, "invalid_request", "a subject of this format cannot be told here");
}
