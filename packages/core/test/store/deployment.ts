import { canonical, generatePrivateJwk, sha256, signerOf, thumbprint, toBase64url } from "@behest/jws";
import {
  type Decision,
  type EntryPayload,
  type Manifest,
  certifyEntryKey,
  commit,
  signActionDecision,
  signTrust,
  trustHash,
} from "@behest/provenance";
import type { Append, Begin, Finish, Identity, Placed } from "../../src/store/types.ts";

const ORIGIN = "test.example/log";
const LEAF = toBase64url(sha256("token"));

/** Keys and entries of an invented deployment, such that `verifyLog` finds nothing to object to. */
export interface TestDeployment {
  readonly owner: string;
  /** A fresh entry key, certified under the latest manifest. */
  identity(): Promise<Identity>;
  /** Signs the next version of the manifest. */
  nextTrust(change?: Partial<Manifest>): Promise<void>;
  /** A fresh enforcer, and no other, from the next version on. */
  replaceEnforcer(): Promise<void>;
  /** The delegation that all actions are taken under. */
  root(): Append;
  /** A permitted read, unless told otherwise. */
  begin(action: string, delegation: Placed, change?: Partial<Begin>): Begin;
  denial(action: string, delegation: Placed): Append;
  finish(begin: Begin, placed: Placed, change?: Partial<Finish>): Finish;
  interaction(delegation: Placed, turn: string): Append;
}

export async function testDeployment(change: Partial<Manifest> = {}): Promise<TestDeployment> {
  const [owner, issuer, holder] = await Promise.all([newSigner(), newSigner(), newSigner()]);
  let enforcer = await newSigner();
  let manifest: Manifest = {
    v: 1,
    seq: 0,
    at: new Date().toISOString(),
    origin: ORIGIN,
    issuers: [{ iss: "https://issuer.example", jwk: issuer.jwk }],
    enforcers: [{ jwk: enforcer.jwk }],
    approvers: [],
    revokers: [],
    witnesses: [],
    ...change,
  };
  let jws = await signTrust(manifest, owner);

  const nextTrust = async (change: Partial<Manifest> = {}): Promise<void> => {
    manifest = { ...manifest, ...change, seq: manifest.seq + 1, prev: trustHash(jws) };
    jws = await signTrust(manifest, owner);
  };
  const entry = (payload: EntryPayload): string => canonical(payload);
  const common = () => ({ v: 1, at: new Date().toISOString() }) as const;
  const action = (
    verdict: "permit" | "deny",
    { action: id, attempt, delegation }: { action: string; attempt: number; delegation: Placed },
  ): string => {
    const args = commit("0".repeat(43), id);
    const decision: Decision = { action: id, leaf: LEAF, tool: "read_file", args };
    return entry({
      ...common(),
      type: "action",
      action: id,
      attempt,
      session: "s1",
      tool: "read_file",
      effect: "read",
      boundary: "inside",
      verdict,
      findings: [],
      decision: signActionDecision(decision, holder) as string,
      content: { args },
      links: { delegation: delegation.hash },
    });
  };
  const record = (id: string, attempt: number, verdict: "permit" | "deny") => ({
    action: id,
    attempt,
    session: "s1",
    principal: "p1",
    delegation: LEAF,
    tool: "read_file",
    verdict,
    code: verdict === "permit" ? "ok" : "tool_not_granted",
    at: Date.now(),
    agent: new Uint8Array([1]),
  });

  return {
    owner: thumbprint(owner.jwk),
    nextTrust,
    async replaceEnforcer() {
      enforcer = await newSigner();
      await nextTrust({ enforcers: [{ jwk: enforcer.jwk }] });
    },
    async identity() {
      const entryKey = await generatePrivateJwk();
      const now = Math.floor(Date.now() / 1000);
      const jwk = signerOf(entryKey).jwk;
      const certificate = await certifyEntryKey(
        { jwk, origin: ORIGIN, from: now - 60, until: now + 3600 },
        enforcer,
      );
      return { origin: ORIGIN, manifest: jws, entryKey, certificate };
    },
    root() {
      const payload: EntryPayload = {
        ...common(),
        type: "delegation",
        jti: "root",
        leaf: LEAF,
        principal: "p1",
        holder: holder.jwk.x,
        issuer: thumbprint(issuer.jwk),
        depth: 0,
        exp: String(Math.floor(Date.now() / 1000) + 3600),
        iat: String(Math.floor(Date.now() / 1000)),
        content: { token: LEAF },
        links: {},
      };
      return {
        entry: entry(payload),
        delegation: { leaf: LEAF, jti: "root", principal: "p1", sealed: Buffer.from("root") },
      };
    },
    begin(id, delegation, change = {}) {
      const attempt = change.attempt ?? 1;
      return {
        action: id,
        args: "args",
        attempt,
        repeatable: true,
        expires: Date.now() + 3_600_000,
        entry: action("permit", { action: id, attempt, delegation }),
        record: record(id, attempt, "permit"),
        ...change,
      };
    },
    denial(id, delegation) {
      return {
        entry: action("deny", { action: id, attempt: 0, delegation }),
        record: record(id, 0, "deny"),
        once: `deny ${id}`,
      };
    },
    finish(begin, placed, change = {}) {
      const outcome = change.outcome ?? "done";
      return {
        action: begin.action,
        attempt: begin.attempt,
        outcome,
        code: "ok",
        entry: entry({
          ...common(),
          type: "outcome",
          action: begin.action,
          attempt: begin.attempt,
          outcome,
          code: "ok",
          content: {},
          links: { action: placed.hash },
        }),
        ...change,
      };
    },
    interaction(delegation, turn) {
      const id = toBase64url(sha256(turn));
      return {
        entry: entry({
          ...common(),
          type: "interaction",
          session: "s1",
          turn,
          model: "m",
          provider: "p",
          calls: [],
          content: { instruction: id, tools: id, response: id },
          links: { delegation: delegation.hash },
        }),
        journal: {
          run: "run",
          key: turn,
          sealed: Buffer.from(turn),
          principal: "p1",
          until: Date.now() + 60_000,
        },
      };
    },
  };
}

async function newSigner() {
  return signerOf(await generatePrivateJwk());
}
