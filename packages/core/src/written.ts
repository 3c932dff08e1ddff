import { type Json, canonical } from "@behest/jws";

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

  /** `json`: an item as JSON, where it may be something else. Throws FormatError `not_json`, `too_deep`. */
  text(list: readonly unknown[], json: (item: unknown) => Json): string {
    this.#items = list.map((item, i) => {
      const before = this.#items[i];
      return before && equals(before.value, item) ? before : written(json(item));
    });
    return `[${this.#items.map(({ text }) => text).join(",")}]`;
  }

  forget(): void {
    this.#items = [];
  }
}

function written(json: Json): Item {
  const text = canonical(json);
  return { value: JSON.parse(text) as Json, text };
}

/** Whether `given` is this JSON; a member that is undefined is absent. What only becomes it by conversion is not. */
function equals(json: Json, given: unknown): boolean {
  if (json === given) return true;
  if (typeof json !== "object" || typeof given !== "object" || json === null || given === null) return false;
  if (Array.isArray(json))
    return (
      Array.isArray(given) && json.length === given.length && json.every((item, i) => equals(item, given[i]))
    );
  if (Object.getPrototypeOf(given) !== Object.prototype) return false;
  for (const name in json)
    if (
      !Object.hasOwn(given, name) ||
      !equals((json as Members)[name]!, (given as { [name: string]: unknown })[name])
    )
      return false;
  for (const name in given)
    if (!Object.hasOwn(json, name) && (given as { [name: string]: unknown })[name] !== undefined) return false;
  return true;
}

type Members = { readonly [name: string]: Json };
