import { generateSigner } from "@behest/jws";
import { parseCheckpoint, signCheckpoint } from "@behest/provenance";
import { describe, expect, test, vi } from "vitest";
import { engine as engineOf } from "../../../core/src/store/types.ts";
import { openLog } from "../../../core/test/store/open-log.ts";
import { witnessesOf } from "../../../core/src/witness/config.ts";
import { HeadKeeper } from "../../../core/src/witness/keeper.ts";
import { TestWitness } from "../../../core/test/witness/server.ts";
import { sql } from "../../test/server.ts";
import { server, storeAt, url } from "../../test/stores.ts";

interface Head {
  readonly checkpoint: string;
  readonly certificate: number;
}

const MISMATCH = { code: "store_mismatch" };

async function head(): Promise<Head> {
  const [found] = await sql<Head>(
    url,
    "SELECT checkpoint, certificate::float8 FROM behest_head WHERE tenant = ''",
  );
  return found!;
}

async function put({ checkpoint, certificate }: Head): Promise<void> {
  await sql(url, "UPDATE behest_head SET checkpoint = $1, certificate = $2", [checkpoint, certificate]);
}

/** The head that is there, of the same tree, as whoever may write to the database signs it. */
async function forged(): Promise<Head> {
  const honest = await head();
  return {
    ...honest,
    checkpoint: signCheckpoint(parseCheckpoint(honest.checkpoint), await generateSigner()),
  };
}

describe.runIf(server)("a log on PostgreSQL that somebody else has written to", () => {
  test("nobody goes on from a head that no key of this log has signed, whatever it names as its own", async () => {
    const { engine, deployment, delegation } = await openLog(storeAt(url));
    const own = await head();
    const other = storeAt(url)[engineOf];
    await other.attach(await deployment.identity());
    const { index } = await other.append(deployment.denial("a", delegation));
    const honest = await head();
    const lies: readonly Head[] = [
      await forged(),
      { ...(await forged()), certificate: own.certificate },
      { ...honest, certificate: own.certificate },
      { ...honest, certificate: index },
    ];
    for (const lie of lies) {
      await put(lie);
      // Not the first time, nor when it is asked again.
      for (let times = 0; times < 2; times++) {
        await expect(engine.append(deployment.denial("b", delegation))).rejects.toMatchObject(MISMATCH);
        await expect(engine.begin(deployment.begin("c", delegation))).rejects.toMatchObject(MISMATCH);
        await expect(engine.head!()).rejects.toMatchObject(MISMATCH);
      }
    }
    await put(honest);
    expect(await engine.head!()).toBe(honest.checkpoint);
    expect((await engine.append(deployment.denial("b", delegation))).index).toBe(index + 1);
    // Where its key is known, the same is asked of each.
    await other.append(deployment.denial("d", delegation));
    await put(await forged());
    await expect(engine.append(deployment.denial("e", delegation))).rejects.toMatchObject(MISMATCH);
  });

  test("no witness is shown such a head", async () => {
    vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    await using witness = await TestWitness.start("witness.test/1");
    const { engine, deployment, delegation } = await openLog(storeAt(url));
    const other = storeAt(url)[engineOf];
    await other.attach(await deployment.identity());
    const { origin } = parseCheckpoint((await head()).checkpoint);
    const witnesses = witnessesOf({ at: [witness.at], every: 3_600_000 })!;
    const keeper = new HeadKeeper({ engine, origin, signer: await generateSigner(), witnesses });
    await keeper.submit();
    expect(witness.asked).toHaveLength(1);
    const { index } = await other.append(deployment.denial("a", delegation));
    const honest = await head();
    await put(await forged());
    await keeper.submit();
    expect(witness.asked).toHaveLength(1);
    expect(process.emitWarning).toHaveBeenCalledWith(expect.any(String), { code: "BEHEST_WITNESS" });
    await put(honest);
    await keeper.stop();
    expect(witness.seen.size).toBe(index + 1);
    vi.restoreAllMocks();
  });
});
