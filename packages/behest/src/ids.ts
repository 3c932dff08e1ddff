import type { Command } from "commander";

/** Of base64url, and with what no option of ours has. */
const ID = /^-(?=[\w-]*[A-Z0-9_])[\w-]{7,}$/;

/** Ids and thumbprints are base64url and may begin with "-": such ones go behind "--", so that none is taken for an option. */
export function idsLast(command: Command | undefined, args: readonly string[]): string[] {
  const marked = args.indexOf("--");
  const [before, after] = marked < 0 ? [args, []] : [args.slice(0, marked), args.slice(marked + 1)];
  const isId = (arg: string, i: number): boolean => ID.test(arg) && !takesValue(command, before[i - 1]);
  const ids = before.filter(isId);
  if (ids.length === 0) return [...args];
  return [...before.filter((arg, i) => !isId(arg, i)), "--", ...ids, ...after];
}

function takesValue(command: Command | undefined, arg: string | undefined): boolean {
  const option = command?.options.find(({ long }) => long === arg);
  return option !== undefined && (option.required || option.optional);
}
