// A process that appends cuts of its own until each has been acknowledged, and says which.
import { postgresFeed } from "../src/index.ts";

const [url = "", name = "", count = ""] = process.argv.slice(2);
const feed = postgresFeed(url);
const cuts = Array.from({ length: Number(count) }, (_, i) => `${name}.${i}.c`);
await Promise.all(
  cuts.map(async (jws) => {
    for (;;) {
      try {
        await feed.append({ jws });
        process.send!({ acknowledged: jws });
        return;
      } catch {
        // Again.
      }
    }
  }),
);
await feed.close();
process.disconnect();
