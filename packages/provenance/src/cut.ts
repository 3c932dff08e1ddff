import {
  type Json,
  type PublicKey,
  type Signer,
  randomBytes,
  signCompact,
  splitCompact,
  thumbprint,
  toBase64url,
} from "@behest/jws";
import { readClaims } from "./claims.ts";
import { ProvenanceError, refusing } from "./error.ts";
import { type Check, closed, count, isObject, text } from "./shape.ts";

const TYP = "secevent+jwt";
/** The one event that a cut is (OpenID Continuous Access Evaluation Profile 1.0, section 3.1). */
const EVENT = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
/** RFC 9278. */
const THUMBPRINT = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:";

/** What is cut: everything at or below it. Names are compared as they stand; a `holder` is an RFC 7638 thumbprint, a `delegation` a jti. */
export type CutTarget =
  | { readonly principal: string; readonly issuer?: string }
  | { readonly agent: string }
  | { readonly holder: string }
  | { readonly delegation: string; readonly issuer?: string }
  | { readonly tenant: string };

/** What a cut says. */
export interface Cut {
  readonly target: CutTarget;
  /** Seconds since the epoch: what was issued up to then is cut. */
  readonly at: number;
  /** When it was signed; not before {@link Cut.at}. */
  readonly signed: number;
  readonly jti: string;
  readonly reason: string;
}

interface Claims {
  readonly iss: string;
  readonly jti: string;
  readonly iat: number;
  readonly sub_id: { readonly [name: string]: Json };
  readonly events: {
    readonly [EVENT]: { readonly event_timestamp: number; readonly reason_admin: { readonly en: string } };
  };
}

const opaque = member({ format: "opaque" }, "id");
const issSub: Check = (value) =>
  isObject(value) && value["format"] === "iss_sub"
    ? closed({ format: text, iss: text, sub: text })(value)
    : "";

/** Subject identifiers (RFC 9493; `jwt_id` and `complex`: OpenID Shared Signals Framework 1.0) that a cut may have. */
const SUBJECTS: readonly Check[] = [
  closed({ format: only("complex"), user: either(opaque, issSub) }),
  closed({ format: only("complex"), application: opaque }),
  closed({ format: only("complex"), session: opaque }),
  closed({ format: only("complex"), tenant: opaque }),
  closed({ format: only("jwt_id"), iss: text, jti: text }),
  (value) =>
    isObject(value) && typeof value["uri"] === "string" && value["uri"].startsWith(THUMBPRINT)
      ? closed({ format: only("uri"), uri: text })(value)
      : "uri",
];

const subjectShape: Check = either(...SUBJECTS);

const shape: Check = closed<Claims>({
  iss: text,
  jti: text,
  iat: count,
  sub_id: subjectShape,
  events: closed<Claims["events"]>({
    [EVENT]: closed({ event_timestamp: count, reason_admin: closed({ en: text }) }),
  }),
});

/**
 * Signs a cut: a Security Event Token (RFC 8417). Runs where the revoker's key is, never where agents run. `at`:
 * seconds since the epoch, default now. Throws `malformed_cut` for a target or reason that is none.
 */
export async function signCut(
  target: CutTarget,
  options: { readonly reason: string; readonly at?: number },
  revoker: Signer,
): Promise<{ readonly jws: string }> {
  const at = options.at ?? Math.floor(Date.now() / 1000);
  const claims: Claims & { readonly [name: string]: Json } = {
    iss: `${THUMBPRINT}${thumbprint(revoker.jwk)}`,
    jti: toBase64url(randomBytes(16)),
    iat: at,
    sub_id: subjectOf(target),
    events: { [EVENT]: { event_timestamp: at, reason_admin: { en: options.reason } } },
  };
  const path = shape(claims);
  if (path !== undefined)
    throw new ProvenanceError("malformed_cut", `a cut's "${path || "target"}" is missing or malformed`);
  return { jws: await signCompact({ typ: TYP, kid: thumbprint(revoker.jwk) }, claims, revoker) };
}

/** Thumbprint of the key that it says it is signed with: to look up, never to trust. Throws `malformed_cut`. */
export function revokerOf(jws: string): string {
  const kid = refusing("malformed_cut", "not a signed cut", () => splitCompact(jws).header["kid"]);
  if (typeof kid !== "string") throw new ProvenanceError("malformed_cut", "a cut names no key");
  return kid;
}

/** What this revoker signed. Throws `signature_invalid`, `malformed_cut`. */
export async function readCut(jws: string, key: PublicKey): Promise<Cut> {
  const { jti, iat, sub_id, events } = await readClaims<Claims>(jws, key, {
    typ: TYP,
    code: "malformed_cut",
    shape,
  });
  const { event_timestamp: at, reason_admin } = events[EVENT];
  // What is said to have happened after it was signed would cut what nobody has made yet.
  if (at > iat) throw new ProvenanceError("malformed_cut", "a cut is dated after its signature");
  return { target: targetOf(sub_id), at, signed: iat, jti, reason: reason_admin.en };
}

function subjectOf(target: CutTarget): Claims["sub_id"] {
  const named = (member: string, id: string): Claims["sub_id"] => ({
    format: "complex",
    [member]: { format: "opaque", id },
  });
  if ("principal" in target)
    return target.issuer === undefined
      ? named("user", target.principal)
      : { format: "complex", user: { format: "iss_sub", iss: target.issuer, sub: target.principal } };
  if ("agent" in target) return named("application", target.agent);
  if ("holder" in target) return { format: "uri", uri: `${THUMBPRINT}${target.holder}` };
  if ("tenant" in target) return named("tenant", target.tenant);
  return target.issuer === undefined
    ? named("session", target.delegation)
    : { format: "jwt_id", iss: target.issuer, jti: target.delegation };
}

/**
 * What a subject identifier (RFC 9493, and `complex` and `jwt_id` of OpenID Shared Signals Framework 1.0) stands for
 * as the target of a cut; undefined for one that is none. A bare `iss_sub` or `opaque` is a principal, the latter
 * under any issuer. A `complex` one of several members means what they have in common, which no cut can say.
 */
export function targetOfSubject(subject: Json): CutTarget | undefined {
  const bare = issSub(subject) === undefined || opaque(subject) === undefined;
  const full = bare ? { format: "complex", user: subject } : subject;
  return subjectShape(full) === undefined ? targetOf(full as Claims["sub_id"]) : undefined;
}

function targetOf(subject: Claims["sub_id"]): CutTarget {
  const { format, user, application, session, tenant, iss, jti, uri } = subject as unknown as {
    readonly [name: string]: string & { readonly id: string; readonly iss?: string; readonly sub: string };
  };
  if (format === "jwt_id") return { delegation: jti!, issuer: iss! };
  if (uri !== undefined) return { holder: uri.slice(THUMBPRINT.length) };
  if (user)
    return user.iss === undefined ? { principal: user.id } : { principal: user.sub, issuer: user.iss };
  if (application) return { agent: application.id };
  if (session) return { delegation: session.id };
  return { tenant: tenant!.id };
}

function member(fixed: { readonly format: string }, name: string): Check {
  return closed({ format: only(fixed.format), [name]: text });
}

function only(word: string): Check {
  return (value) => (value === word ? undefined : "");
}

/** The first of them that takes the value; else what the last one says. */
function either(...checks: readonly Check[]): Check {
  return (value) => {
    let path: string | undefined = "";
    for (const check of checks) if ((path = check(value)) === undefined) return undefined;
    return path;
  };
}
