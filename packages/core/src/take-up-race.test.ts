import { expect, test } from "vitest";
import { memoryStore } from "./store/memory.ts";
import { engine as engineOf } from "./store/types.ts";
import { testBehest } from "./testing.ts";

const read = { tool: "read", args: {} };
const one = async (): Promise<number> => 1;
const tools = { read: {} };

test.each([0, 1])(
  "nothing begins in a session that ends just after it was looked whether it goes on (look %i)",
  async (look) => {
    for (let turns = 0; turns < 12; turns++) {
      const store = memoryStore();
      const engine = store[engineOf];
      let looked = (): void => {};
      const clock = (): number => (looked(), Date.now());
      await using behest = await testBehest({ store, clock });
      const session = await behest.as("alice", tools);
      const asked = Promise.withResolvers<void>();
      const answer = Promise.withResolvers<void>();
      const checkpoint = engine.checkpoint.bind(engine);
      engine.checkpoint = async () => {
        const head = await checkpoint();
        asked.resolve();
        await answer.promise;
        return head;
      };
      const taken = behest.trust(await behest.nextTrust({ issuers: [] }));
      await asked.promise;
      let looks = 0;
      looked = () => {
        // From there on its issuer is withdrawn, so many microtasks later.
        if (looks++ === look) void after(turns).then(answer.resolve);
      };
      const late = setTimeout(answer.resolve, 50);
      await expect(session.perform(read, one)).rejects.toMatchObject({ code: "session_ended" });
      await taken;
      clearTimeout(late);
    }
  },
);

async function after(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await Promise.resolve();
}
