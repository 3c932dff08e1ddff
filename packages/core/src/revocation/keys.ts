import type { HopClaims } from "@behest/delegation";
import { sha256, utf8 } from "@behest/jws";
import type { CutTarget } from "@behest/provenance";

/** 32-bit words of a key: 16 bytes of a SHA-256. */
export const WORDS = 4;

/** Whom a revoker may cut, as the trust manifest says: everybody, or one tenant's or issuer's chains. */
export type Scope = "*" | `tenant:${string}` | `issuer:${string}`;

/** Undefined for a scope that nobody has defined: its revoker cuts nothing. */
export function scopeOf(text: string): Scope | undefined {
  return text === "*" || /^(?:tenant|issuer):./s.test(text) ? (text as Scope) : undefined;
}

/** What a cut is found by. A cut that is bound to a scope, or names an issuer, is found by that as well. */
export interface CutKey {
  readonly words: Uint32Array;
  /** It concerns roots up to its date only; a key or a jti is cut for ever. */
  readonly dated: boolean;
  readonly form: Form;
}

/** What a key is made of: chains are looked up only by forms that some cut has. */
export type Form = `${"any" | "issuer"} ${"*" | "tenant" | "issuer"}`;

export function keyOfCut(target: CutTarget, scope: Scope): CutKey {
  const form: Form = `${"issuer" in target && target.issuer !== undefined ? "issuer" : "any"} ${kindOf(scope)}`;
  const [kind, value] = named(target);
  const issuer = "issuer" in target ? target.issuer : undefined;
  return { words: wordsOf([scope, kind, value, issuer ?? ""]), dated: kind !== "k" && kind !== "j", form };
}

function named(target: CutTarget): readonly [kind: string, value: string] {
  if ("principal" in target) return ["u", target.principal];
  if ("agent" in target) return ["a", target.agent];
  if ("holder" in target) return ["k", target.holder];
  if ("tenant" in target) return ["t", target.tenant];
  return ["j", target.delegation];
}

function kindOf(scope: Scope): "*" | "tenant" | "issuer" {
  return scope === "*" ? "*" : scope.startsWith("tenant:") ? "tenant" : "issuer";
}

/** Keys of one chain, by form: the dated ones first. */
export interface ChainKeys {
  readonly words: Uint32Array;
  readonly dated: number;
}

/** What cuts look at in one token of a chain. */
export type Hop = Pick<HopClaims, "jti" | "iss" | "iat" | "holder" | "agent" | "tenant">;

/**
 * What a verified chain is cut by: its tenant and person, and of each hop its agent's name, holder key and jti. A
 * descendant carries its ancestors, so that whatever cuts one of them cuts it.
 */
export class Lineage {
  /** Seconds since the epoch: when the root was issued. */
  readonly issued: number;
  readonly names: readonly string[];
  readonly #hops: readonly Hop[];
  readonly #principal: string;
  readonly #forms = new Map<Form, ChainKeys>();

  /** `names`: what sessions along it are called beside what its tokens say. */
  constructor(hops: readonly Hop[], principal: string, names: readonly string[] = []) {
    this.#hops = hops;
    this.names = names;
    this.#principal = principal;
    this.issued = hops[0]!.iat;
  }

  keys(form: Form): ChainKeys {
    const known = this.#forms.get(form);
    if (known) return known;
    const made = this.#make(form);
    this.#forms.set(form, made);
    return made;
  }

  #make(form: Form): ChainKeys {
    const root = this.#hops[0]!;
    const [qualified, within] = form.split(" ") as ["any" | "issuer", "*" | "tenant" | "issuer"];
    const scope =
      within === "*" ? "*" : within === "issuer" ? `issuer:${root.iss}` : `tenant:${root.tenant ?? ""}`;
    const none = within === "tenant" && root.tenant === undefined;
    const key = (kind: string, value: string, issuer = ""): Uint32Array =>
      wordsOf([scope, kind, value, qualified === "issuer" ? issuer : ""]);
    const dated: Uint32Array[] = [key("u", this.#principal, root.iss)];
    // Of a child too: whoever revokes knows whose root it stands on, not which key signed it.
    const always: Uint32Array[] = this.#hops.map(({ jti }) => key("j", jti, root.iss));
    if (qualified === "any") {
      if (root.tenant !== undefined) dated.push(key("t", root.tenant));
      const names = this.#hops.flatMap(({ agent }) => agent ?? []);
      for (const name of new Set([...names, ...this.names])) dated.push(key("a", name));
      always.push(...this.#hops.map(({ holder }) => key("k", holder)));
    }
    const all = none ? [] : [...dated, ...always];
    const words = new Uint32Array(all.length * WORDS);
    for (const [i, one] of all.entries()) words.set(one, i * WORDS);
    return { words, dated: none ? 0 : dated.length };
  }
}

function wordsOf(parts: readonly string[]): Uint32Array {
  const digest = sha256(utf8(JSON.stringify(parts)));
  // A copy: the digest may be a piece of a larger buffer, at any offset.
  return new Uint32Array(Uint8Array.from(digest.subarray(0, WORDS * 4)).buffer);
}
