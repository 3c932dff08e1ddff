import { FormatError, type Json, canonical, canonicalPresent } from "@behest/jws";

/** Canonical text of what a framework hands around. `json`: what stands for it where it is not JSON. */
export function textOf(value: unknown, json: (value: unknown) => Json): string {
  try {
    return canonicalPresent(value);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return canonical(json(value));
  }
}

interface Item {
  readonly value: Json;
  readonly text: string;
}

/**
 * Writes lists as canonical JSON that are mostly what they were the time before: a prompt grows by a message
 * or two each turn, and the tools stay. What equals the item that stood in its place, member for member, is
 * not written again. Only the latest list is remembered, as it was parsed from its own text: nobody else
 * holds that value, so nobody can change what a text stands for.
 */
export class Written {
  #items: readonly Item[] = [];

  /** See {@link textOf}. */
  text(list: readonly unknown[], json: (item: unknown) => Json): string {
    const items: Item[] = [];
    let text = "[";
    for (const item of list) {
      const before = this.#items[items.length];
      const now = before && equals(before.value, item) ? before : written(textOf(item, json));
      text += items.push(now) > 1 ? `,${now.text}` : now.text;
    }
    this.#items = items;
    return text + "]";
  }

  forget(): void {
    this.#items = [];
  }
}

function written(text: string): Item {
  return { value: JSON.parse(text) as Json, text };
}

/** Whether `given` is this JSON; a member that is undefined is absent. What only becomes it by conversion is not. */
function equals(json: Json, given: unknown): boolean {
  if (json === given) return true;
  if (typeof json !== "object" || typeof given !== "object" || json === null || given === null) return false;
  if (Array.isArray(json)) {
    if (!Array.isArray(given) || json.length !== given.length) return false;
    for (let i = 0; i < json.length; i++) if (!equals(json[i] as Json, given[i])) return false;
    return true;
  }
  if (Object.getPrototypeOf(given) !== Object.prototype) return false;
  const [ours, theirs] = [json as Members<Json>, given as Members<unknown>];
  for (const name in ours) {
    const own = ours[name]!;
    // Most members are texts: compared here, they cost no call.
    if (!Object.hasOwn(theirs, name) || (own !== theirs[name] && !equals(own, theirs[name]))) return false;
  }
  for (const name in theirs) if (!Object.hasOwn(ours, name) && theirs[name] !== undefined) return false;
  return true;
}

type Members<T> = { readonly [name: string]: T };
