import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { is } from "@behest/delegation";
import { expect, test } from "vitest";
import { deployment } from "../test/deployment.ts";

const program = resolve(import.meta.dirname, "../test/pays.ts");
const any = { "*": is.any.constraint };

/** Kills an agent, and runs it again on the same thread; what both did, in order. */
async function killed(when: "while" | "after") {
  const folder = mkdtempSync(join(tmpdir(), "behest-killed-"));
  try {
    await deployment(folder, { pay: any, check: any });
    const run = (where: string) => {
      const { signal, stdout, stderr } = spawnSync(
        process.execPath,
        ["--conditions=@behest/source", program, folder, where],
        { encoding: "utf8" },
      );
      return { signal, stdout, stderr };
    };
    const first = run(when);
    expect(first).toMatchObject({ signal: "SIGKILL" });
    const second = run("never");
    expect(second).toMatchObject({ signal: null, stderr: "" });
    const notes = readFileSync(join(folder, "notes"), "utf8").trim().split("\n");
    return { notes, answer: (JSON.parse(second.stdout) as { answer: string }).answer };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("killed after a sub-agent paid, with no checkpoint written: nobody is asked twice, and it is paid once", async () => {
  const { notes, answer } = await killed("after");
  expect(notes).toEqual(["root asked", "child asked", "paid 5", "child asked", "child asked", "root asked"]);
  expect(answer).toBe("paid 5, fine");
});

test("killed while it paid: nobody knows how that ended, and it is not paid again", async () => {
  const { notes, answer } = await killed("while");
  expect(notes.filter((note) => note === "paid 5")).toHaveLength(1);
  expect(answer).toMatch(
    /^BehestDenied: pay: it was started and nobody knows how it ended; it is not run again\./,
  );
});
