const LONGEST = 64;
const UNPRINTABLE = /\p{C}/gu;

/**
 * Where something is, for errors: `tools.<tool>.<argument>`. Names may come from a model: they are shortened to
 * 64 characters, and what cannot be printed becomes "?".
 */
export function placeOf(tool: string, argument?: string): string {
  return argument === undefined ? `tools.${shown(tool)}` : `tools.${shown(tool)}.${shown(argument)}`;
}

function shown(name: string): string {
  const short = name.length > LONGEST ? `${name.slice(0, LONGEST)}…` : name;
  return short.replace(UNPRINTABLE, "?");
}
