import { type Holder, generateHolder, issueDelegation } from "@behest/delegation";
import { type Signer, generateSigner, thumbprint } from "@behest/jws";
import { type LogReport, type Manifest, signTrust, verifyLog } from "@behest/provenance";
import {
  type Behest,
  type BehestConfig,
  type Feed,
  type Session,
  type Store,
  createBehest,
  signCut,
} from "@behest/core";
import { engine as engineOf } from "../../src/store/types.ts";

const any = { "*": { constraint_type: "wildcard" } } as const;
/** A read, one that can be undone, and one that cannot. */
const TOOLS = { look: any, note: any, pay: any };
const PROFILES = {
  look: { effect: "read", boundary: "inside" },
  note: { effect: "reversible", boundary: "inside" },
} as const;

/** Keys for several Behests: on one store, or on stores that share a feed. */
export class SharedDeployment {
  readonly #enforcer: Signer;
  readonly #issuer: Signer;
  readonly #holder: Holder;
  readonly #revoker: Signer;
  readonly #trust: { readonly owner: string; readonly manifest: string };

  private constructor(
    keys: { enforcer: Signer; issuer: Signer; holder: Holder; revoker: Signer },
    trust: { owner: string; manifest: string },
  ) {
    ({ enforcer: this.#enforcer, issuer: this.#issuer, holder: this.#holder, revoker: this.#revoker } = keys);
    this.#trust = trust;
  }

  static async make(): Promise<SharedDeployment> {
    const [owner, issuer, enforcer, revoker] = await Promise.all([
      generateSigner(),
      generateSigner(),
      generateSigner(),
      generateSigner(),
    ]);
    const manifest: Manifest = {
      v: 1,
      seq: 0,
      at: new Date(0).toISOString(),
      origin: "behest.test/log",
      issuers: [{ iss: "urn:test", jwk: issuer.jwk }],
      enforcers: [{ jwk: enforcer.jwk }],
      approvers: [],
      revokers: [{ scope: "*", jwk: revoker.jwk }],
      witnesses: [],
    };
    const trust = { owner: thumbprint(owner.jwk), manifest: await signTrust(manifest, owner) };
    return new SharedDeployment({ enforcer, issuer, holder: await generateHolder(), revoker }, trust);
  }

  start(store: Store, feed?: Feed, more: Pick<BehestConfig, "credentials"> = {}): Promise<Behest> {
    const [trust, signer, holder] = [this.#trust, this.#enforcer, this.#holder];
    const config = { trust, signer, holder, store, profiles: PROFILES, policy: "grants-alone" };
    return createBehest({ ...config, ...(feed && { feed }), ...more });
  }

  async open(behest: Behest, principal: string): Promise<Session> {
    const claims = {
      issuer: "urn:test",
      holder: this.#holder.jwk,
      principal,
      task: "test",
      tools: TOOLS,
      expiresIn: "1h",
    } as const;
    return behest.open(await issueDelegation(claims, this.#issuer));
  }

  async revoke(behest: Behest, principal: string): Promise<void> {
    await behest.revoke(await signCut({ principal }, { reason: "test" }, this.#revoker));
  }

  async verify(store: Store): Promise<LogReport> {
    const engine = store[engineOf];
    const entries = await engine.entries(0, 10_000);
    return verifyLog({ entries, checkpoint: await engine.checkpoint(), owner: this.#trust.owner });
  }
}

/** What becomes of a read, of what can be undone, and of what cannot. */
export async function tried(session: Session): Promise<string[]> {
  const calls = Object.keys(TOOLS).map((tool) =>
    session
      .perform({ tool, args: {} }, async () => tool)
      .then(
        ({ outcome }) => outcome,
        (error: { code: string }) => error.code,
      ),
  );
  return Promise.all(calls);
}
