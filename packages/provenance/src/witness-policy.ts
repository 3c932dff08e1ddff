import { ProvenanceError } from "./error.ts";
import { type NamedKey, type Vkey, parseVkey } from "./vkey.ts";

/** So many of these have to have cosigned; one that is a policy itself counts as one where it is met. */
export interface WitnessPolicy {
  readonly need: number;
  /** Absent: the witnesses that the trust manifest names at that index. A caller who pins keys is stronger. */
  readonly keys?: readonly (NamedKey | WitnessPolicy)[];
  /** What counts is signed by one of these, too, under the log's name. Absent: the log's own keys are enough. */
  readonly logs?: readonly NamedKey[];
}

/** Whether the policy is met, where `cosigned` answers for one key. A key that is listed twice counts once. */
export function isMet({ need, keys = [] }: WitnessPolicy, cosigned: (key: NamedKey) => boolean): boolean {
  const met = keys.filter((one) => ("need" in one ? isMet(one, cosigned) : cosigned(one)));
  return new Set(met.map((one) => ("need" in one ? one : one.jwk.x))).size >= need;
}

/** Every key of a policy. */
export function keysIn({ keys = [] }: WitnessPolicy): readonly NamedKey[] {
  return keys.flatMap((one) => ("need" in one ? keysIn(one) : [one]));
}

/**
 * Reads a C2SP tlog-policy: lines `log <vkey> [<url>]`, `witness <name> <vkey> [<url>]`,
 * `group <name> all|any|<k> <name>…` and one `quorum <name>|none`; `#` begins a comment. URLs are left alone.
 * Throws `malformed_witness_policy`, which names the line, and so for keys that are not Ed25519.
 */
export function parseWitnessPolicy(text: string): Required<WitnessPolicy> {
  const file = new PolicyFile();
  for (const [i, line] of text.split("\n").entries()) {
    const words = line.split(/[ \t]+/).filter(Boolean);
    if (words[0] === undefined || words[0].startsWith("#")) continue;
    if (/\p{Cc}/u.test(line.replaceAll("\t", "")) || !file.take(words)) throw malformed(`line ${i + 1}`);
  }
  const { quorum, logs } = file;
  if (!quorum) throw malformed("the quorum, of which there is one,");
  return { need: quorum.need, keys: quorum.keys ?? [], logs };
}

class PolicyFile {
  readonly logs: NamedKey[] = [];
  quorum: WitnessPolicy | undefined;
  readonly #named = new Map<string, NamedKey | WitnessPolicy>();
  /** `x` of every key: none stands here twice. */
  readonly #keys = new Set<string>();
  readonly #members = new Set<string>();

  /** False where the line cannot stand here. */
  take([word, ...rest]: readonly string[]): boolean {
    if (word === "log" && rest.length <= 2) return this.#add(rest[0], "log", (key) => this.logs.push(key));
    if (word === "witness" && rest.length <= 3)
      return this.#add(rest[1], "witness", (key) => this.#name(rest[0], key));
    if (word === "group") return this.#group(rest);
    if (word === "quorum" && rest.length === 1 && !this.quorum) return this.#quorum(rest[0]!);
    return false;
  }

  #add(vkey: string | undefined, type: Vkey["type"], keep: (key: NamedKey) => unknown): boolean {
    const key = keyOf(vkey);
    if (key?.type !== type || this.#keys.has(`${type} ${key.jwk.x}`)) return false;
    this.#keys.add(`${type} ${key.jwk.x}`);
    return keep({ name: key.name, jwk: key.jwk }) !== false;
  }

  #name(name: string | undefined, what: NamedKey | WitnessPolicy): boolean {
    if (name === undefined || name === "none" || this.#named.has(name)) return false;
    this.#named.set(name, what);
    return true;
  }

  #group([name, threshold = "", ...members]: readonly string[]): boolean {
    const keys: (NamedKey | WitnessPolicy)[] = [];
    for (const member of members) {
      const known = this.#named.get(member);
      if (!known || this.#members.has(member)) return false;
      this.#members.add(member);
      keys.push(known);
    }
    const need = threshold === "all" ? keys.length : threshold === "any" ? 1 : Number(threshold);
    const counted = threshold === "all" || threshold === "any" || /^[1-9][0-9]*$/.test(threshold);
    return counted && need >= 1 && need <= keys.length && this.#name(name, { need, keys });
  }

  #quorum(name: string): boolean {
    const known = this.#named.get(name);
    if (name === "none") this.quorum = { need: 0, keys: [] };
    else if (known) this.quorum = "need" in known ? known : { need: 1, keys: [known] };
    return this.quorum !== undefined;
  }
}

function keyOf(vkey: string | undefined): Vkey | undefined {
  try {
    return vkey === undefined ? undefined : parseVkey(vkey);
  } catch {
    return undefined;
  }
}

function malformed(where: string): ProvenanceError {
  return new ProvenanceError(
    "malformed_witness_policy",
    `${where} of a witness policy is not what it must be`,
  );
}
