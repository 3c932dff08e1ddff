import type { ChildProcess } from "node:child_process";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";

/** Stops a process while it has no lock of the store at `path`, which it would keep in its sleep. */
export async function stopUnlocked(child: ChildProcess, path: string): Promise<void> {
  using log = new DatabaseSync(path);
  using cuts = new DatabaseSync(`${path}-cuts`);
  for (;;) {
    child.kill("SIGSTOP");
    try {
      for (const database of [log, cuts]) database.exec("begin immediate; rollback");
      return;
    } catch {
      child.kill("SIGCONT");
      await sleep(5);
    }
  }
}
