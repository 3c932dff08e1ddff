import { readFileSync, readlinkSync } from "node:fs";

/**
 * Names this process so that another one on this machine can tell later that it is dead: boot id, pid
 * namespace, pid and start time, blanks between. A pid alone would not do: it is used again. Undefined
 * where /proc does not say, or shows another namespace's pids; then only time ends a lease.
 */
export function processName(): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    const space = readlinkSync("/proc/self/ns/pid");
    if (readlinkSync("/proc/self") !== String(process.pid)) return undefined;
    const start = statusOf(process.pid)?.start;
    return start && [boot, space, process.pid, start].join(" ");
  } catch {
    return undefined;
  }
}

/** True only when the process of this name is known to be dead, seen from the process named `here`. */
export function isDead(name: string, here: string | undefined): boolean {
  if (here === undefined) return false;
  const [boot, space, pid, start] = name.split(" ");
  const [hereBoot, hereSpace] = here.split(" ");
  if (boot !== hereBoot || space !== hereSpace) return false;
  const status = statusOf(Number(pid));
  if (status) return status.start !== start || status.state === "Z" || status.state === "X";
  // Hidden from us in /proc (another user's, hidepid) is not dead; only the kernel's word counts.
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/** Fields 3 and 22 of proc_pid_stat(5); the name before them is in parentheses and may hold anything. */
function statusOf(
  pid: number,
): { readonly state: string | undefined; readonly start: string | undefined } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0], start: fields[19] };
  } catch {
    return undefined;
  }
}
