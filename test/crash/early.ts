import type { Disk } from "./disk.ts";
import type { Log } from "./log.ts";
import { judgeBody } from "./persons.ts";
import { type Step, isLine, said } from "./steps.ts";
import type { Violation } from "./world.ts";

/**
 * Each body's `action` entry must be on the disk, synced, when the body takes effect, and what it rests on. `disk`: as
 * it was before the steps.
 */
export function tooEarly(
  disk: Disk,
  steps: readonly Step[],
  { attempts, decisions }: Log,
  before: Log,
): Violation[] {
  const found: Violation[] = [];
  const isOnDisk = ({ index, jws }: { index: number; jws: string }): boolean =>
    index < before.entries.length || partsOf(jws).some((part) => disk.isSynced(part));
  for (const step of steps) {
    disk.apply(step);
    if (!isLine(step, "e")) continue;
    const [tool] = said([step], "e");
    // A read may have started twice.
    const own = attempts.filter((attempt) => attempt.tool === tool && attempt.index >= before.entries.length);
    const entry = own.findLast(isOnDisk);
    if (own.length > 0 && !entry)
      found.push({ fault: "unrecorded", story: `${tool} took effect before its entry was synced` });
    const { action, index } = entry ?? own.at(-1) ?? {};
    // A denial may come in after the start.
    const rests = decisions.filter((decision) =>
      action === undefined ? decision.tool === tool : decision.action === action && decision.index < index!,
    );
    found.push(...judgeBody(tool!, rests.filter(isOnDisk)));
  }
  return found;
}

/**
 * Parts of an entry that are in no other. SQLite may break a long one off once, PostgreSQL twice (a page of its log, a
 * piece of a long value): one part is then still whole.
 */
function partsOf(jws: string): string[] {
  return [jws.slice(-86, -58), jws.slice(-58, -29), jws.slice(-29)];
}
