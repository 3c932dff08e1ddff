import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { isDead, processName } from "./process.ts";

/** Undefined where /proc names no processes: there only time ends a lease, and nothing is to be tested here. */
const here = processName();

function nameOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const [boot, space] = here!.split(" ");
  return [boot, space, pid, stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]].join(" ");
}

test.skipIf(here === undefined)(
  "a living process is not dead, nor a stopped one; a killed one is",
  async () => {
    expect(isDead(here!, here)).toBe(false);
    // Its parentheses and blanks must not be taken for the end of its name.
    const child = spawn(process.execPath, ["-e", "process.title = 'a) b (c'; setInterval(() => {}, 1e6)"]);
    await once(child, "spawn");
    const name = nameOf(child.pid!);
    expect(isDead(name, here)).toBe(false);
    child.kill("SIGSTOP");
    expect(isDead(name, here)).toBe(false);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(isDead(name, here)).toBe(true);
  },
);

test.skipIf(here === undefined)("a process id that is used again is another process", () => {
  const [boot, space, pid, start] = here!.split(" ");
  expect(isDead([boot, space, pid, Number(start) + 1].join(" "), here)).toBe(true);
});

test.skipIf(here === undefined)(
  "of a process of another boot, another namespace or an unknown one nothing is known",
  () => {
    const [boot, space, , start] = here!.split(" ");
    const gone = 2 ** 22 + 1;
    expect(isDead([boot, space, gone, start].join(" "), here)).toBe(true);
    expect(isDead(["other", space, gone, start].join(" "), here)).toBe(false);
    expect(isDead([boot, "pid:[1]", gone, start].join(" "), here)).toBe(false);
    expect(isDead([boot, space, gone, start].join(" "), undefined)).toBe(false);
  },
);
