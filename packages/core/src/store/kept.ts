import type { Content } from "./types.ts";

/** Sealed content of a store in memory, by index of the entry it lies beside; what a spawn left, by its action. */
export class Kept {
  readonly #content = new Map<number | string, readonly Content[]>();

  add(content: readonly Content[] | undefined, beside: number | string): void {
    if (content && content.length > 0) this.#content.set(beside, content);
  }

  /** What has neither ended at `now` nor been erased. */
  living(beside: number | string, now: number): readonly Content[] {
    return (this.#content.get(beside) ?? []).filter(({ until = Number.POSITIVE_INFINITY }) => until > now);
  }

  /** One piece of it. */
  sealed(beside: number | string, id: string | undefined, now: number): Uint8Array | undefined {
    return this.living(beside, now).find((one) => one.id === id)?.sealed;
  }

  /** Indexes of the entries beside which there is content of this principal. */
  beside(principal: string): readonly number[] {
    return [...this.#content].flatMap(([at, content]) =>
      typeof at === "number" && content.some((one) => one.principal === principal) ? [at] : [],
    );
  }

  drop(beside: number | string): void {
    this.#content.delete(beside);
  }

  erase(principal: string): void {
    for (const [at, content] of this.#content)
      this.#content.set(
        at,
        content.filter((one) => one.principal !== principal),
      );
  }
}
