import { setTimeout as sleep } from "node:timers/promises";
import { BehestError } from "@behest/core";
import type { Task } from "./life.ts";

/** What is answered while a server is away, or while one that was killed still has its lease. */
const AWAY: ReadonlySet<string> = new Set(["store_failed", "revocation_stale", "action_running"]);

export function isAway({ url }: Task, code: string): boolean {
  return url !== undefined && AWAY.has(code);
}

/** Until the server is there. A store on SQLite is always there, or broken. */
export async function insist<T>(task: Task, ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!BehestError.isInstance(error) || !isAway(task, error.code)) throw error;
      await sleep(20);
    }
  }
}
