import { canonical } from "@behest/jws";
import type { DelegationEntry, EntryPayload, EvidenceBundle, RevocationEntry } from "@behest/provenance";
import { isMandate, openAhead } from "../approval/ahead.ts";
import { termsText } from "../approval/mandate.ts";
import { openAsked } from "../approval/standing.ts";
import type { Vault } from "../record/content.ts";
import { type KnownPrincipal, principalOf } from "../record/principal.ts";
import { openDelegation } from "../session/lineage.ts";
import type { Engine } from "../store/types.ts";
import type { Scale } from "./scale.ts";

type Parts = {
  -readonly [K in "tokens" | "content" | "documents" | "cuts" | "principals"]: {
    [name: string]: EvidenceBundle[K][string];
  };
};

/** What lies beside the log and belongs to the entries shown: what opens their commitments, and the texts they name by a hash. */
export class Disclosure {
  readonly #engine: Engine;
  readonly #scale: Scale;
  readonly #whose: ReadonlySet<string | undefined> | undefined;
  readonly #people = new Map<string, KnownPrincipal | undefined>();
  readonly parts: Parts = { tokens: {}, content: {}, documents: {}, cuts: {}, principals: {} };

  /** `whose`: pseudonyms; of others nothing is added. Default: of all. */
  constructor(engine: Engine, scale: Scale, whose?: ReadonlySet<string | undefined>) {
    this.#engine = engine;
    this.#scale = scale;
    this.#whose = whose;
  }

  /** Adds what is kept of the entry at `index`. */
  async add(index: number, payload: EntryPayload): Promise<void> {
    switch (payload.type) {
      case "delegation":
        return this.#addDelegation(payload);
      case "interaction":
        return this.#addContent(index, payload.turn, payload.content);
      case "action":
        if (payload.policy !== undefined) await this.#addDocument(payload.policy);
        await this.#addContent(index, payload.action, payload.content);
        return this.#addAsked(payload.action, payload.content.args);
      case "outcome":
        return this.#addContent(index, payload.action, payload.content);
      case "approval":
        return payload.kind === "mandate" ? this.#addTerms(payload.content.terms) : undefined;
      default:
    }
  }

  /** Adds a signed cut; who is cut stands in it, so of another person's, none is handed on with what is `partial`. */
  async addCut({ cut, target, ids }: RevocationEntry, partial: boolean): Promise<void> {
    const others = target === "principal" && !ids.some((id) => Object.hasOwn(this.parts.principals, id));
    const jws = partial && others ? undefined : await this.#engine.cut(cut);
    if (jws !== undefined) this.#put("cuts", cut, jws, jws);
  }

  async #addDelegation({ leaf, principal }: DelegationEntry): Promise<void> {
    const row = await this.#engine.delegationOf(leaf);
    const who = await this.#known(principal);
    if (!row || !who) return;
    const { issuer, subject } = who;
    if (!Object.hasOwn(this.parts.principals, principal))
      this.#put("principals", principal, { issuer, subject }, issuer + subject);
    const token = openDelegation(who.vault, row).chain.at(-1)!;
    this.#put("tokens", leaf, token, token);
  }

  async #addContent(
    index: number,
    subject: string,
    commitments: { readonly [field: string]: string | undefined },
  ): Promise<void> {
    for (const { id, principal, sealed } of await this.#engine.content(index)) {
      const field = Object.keys(commitments).find((name) => commitments[name] === id);
      const vault = (await this.#known(principal))?.vault;
      if (field !== undefined && vault)
        this.#open(vault, subject, field, id, vault.open(subject, field, sealed));
    }
  }

  /** What persons were shown, where content is not kept. */
  async #addAsked(action: string, args: string): Promise<void> {
    if (Object.hasOwn(this.parts.content, args)) return;
    const row = await this.#engine.approval(action);
    const vault = row && (await this.#known(row.principal))?.vault;
    if (row?.kind !== "ask" || !vault) return;
    const asked = openAsked(vault, row);
    if (asked.about.args === args) this.#open(vault, action, "args", args, canonical(asked.args));
  }

  /** What a mandate holds for: a person has signed it. */
  async #addTerms(terms: string): Promise<void> {
    const row = await this.#engine.approval(terms);
    const vault = row && (await this.#known(row.principal))?.vault;
    const what = vault && openAhead(vault, row);
    if (what && isMandate(what)) this.#putContent(terms, what.salt, termsText(what));
  }

  #open(vault: Vault, subject: string, field: string, commitment: string, text: string): void {
    this.#putContent(commitment, vault.salt(subject, field), text);
  }

  #putContent(commitment: string, salt: string, text: string): void {
    this.#put("content", commitment, { salt, text }, text);
  }

  /** `said`: all of it that may be long. */
  #put<K extends keyof Parts>(part: K, name: string, value: Parts[K][string], said: string): void {
    this.#scale.add(said);
    const members: { [name: string]: Parts[K][string] } = this.parts[part];
    members[name] = value;
  }

  async #addDocument(digest: string): Promise<void> {
    if (Object.hasOwn(this.parts.documents, digest)) return;
    const text = await this.#engine.document(digest);
    if (text !== undefined) this.#put("documents", digest, text, text);
  }

  async #known(pseudonym: string): Promise<KnownPrincipal | undefined> {
    if (this.#whose?.has(pseudonym) === false) return undefined;
    if (!this.#people.has(pseudonym)) this.#people.set(pseudonym, await principalOf(this.#engine, pseudonym));
    return this.#people.get(pseudonym);
  }
}
