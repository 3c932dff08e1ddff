// A process that appends cuts of its own, each until it has been acknowledged, says which, and ends when it is told to.
import { postgresFeed } from "../src/index.ts";

const [url = "", name = ""] = process.argv.slice(2);
const feed = postgresFeed(url);
let isEnough = false;
process.once("message", () => (isEnough = true));
const many = Array.from({ length: 10 }, async (_, i) => {
  for (let n = 0; !isEnough; n++) {
    const jws = `${name}.${i}.${n}`;
    // Again, until it was.
    while (
      !(await feed.append({ jws }).then(
        () => true,
        () => false,
      ))
    );
    process.send!({ acknowledged: jws });
  }
});
await Promise.all(many);
await feed.close();
process.disconnect();
