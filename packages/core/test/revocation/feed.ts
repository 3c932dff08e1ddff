import { expect, test } from "vitest";
import { type Feed, type FeedPage, START, follow } from "../../src/revocation/feed.ts";

/** What every feed of cuts must do. `make`: a fresh one, and another reader of the same. */
export function feedConformance(name: string, make: () => Promise<{ feed: Feed; other: Feed }>): void {
  test(`${name}: what was appended is read by everybody, in order, linked by hash`, async () => {
    const { feed, other } = await make();
    const cuts = ["a.b.c", "d.e.f", "g.h.i"];
    for (const jws of cuts) await feed.append({ jws });
    for (const one of [feed, other]) {
      const page = await one.read(0);
      expect(page.rows.map(({ jws }) => jws)).toEqual(cuts);
      expect(page.rows.map(({ seq }) => seq)).toEqual([1, 2, 3]);
      const head = follow(START, page, 2);
      expect(head).toEqual(page.head);
      const rest = await one.read(2);
      expect(rest.rows.map(({ jws }) => jws)).toEqual(["g.h.i"]);
      expect(rest.head).toEqual(head);
      expect((await one.read(3)).rows).toEqual([]);
    }
  });

  test(`${name}: the same cut is there once, whoever appends it`, async () => {
    const { feed, other } = await make();
    await Promise.all([feed.append({ jws: "a.b.c" }), other.append({ jws: "a.b.c" })]);
    expect((await feed.read(0)).head.seq).toBe(1);
  });

  test(`${name}: many append at once, and none is lost`, async () => {
    const { feed, other } = await make();
    const cuts = Array.from({ length: 40 }, (_, i) => `${i}.b.c`);
    await Promise.all(cuts.map((jws, i) => (i % 2 ? feed : other).append({ jws })));
    const page = await other.read(0);
    expect(page.rows.map(({ jws }) => jws).toSorted()).toEqual(cuts.toSorted());
    expect(() => follow(START, page, 2)).not.toThrow();
  });

  test(`${name}: who watches is woken by what another appends`, async () => {
    const { feed, other } = await make();
    const woken = new Promise<void>((resolve) => {
      const end = other.watch(() => {
        const found = ({ head }: FeedPage): void => {
          if (head.seq === 0) return;
          end();
          resolve();
        };
        // One that is woken while another has found it may read what is closed by then.
        void other.read(0).then(found, () => {});
      });
    });
    await feed.append({ jws: "a.b.c" });
    await woken;
  });

  test(`${name}: what concerns nobody any more is dropped, and the chain of hashes holds`, async () => {
    const { feed, other } = await make();
    await feed.append({ jws: "a.b.c", until: 1 });
    await feed.append({ jws: "d.e.f" });
    const page = await other.read(0);
    expect(page.rows.map(({ jws }) => jws)).toEqual([undefined, "d.e.f"]);
    expect(() => follow(START, page, 2)).not.toThrow();
  });
}
