/** PostgreSQL will not hold a value: data exception, constraint, limit. It concerns whoever brought it, and no others. */
export function isRefusal(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === "string" && /^(?:22|23|54)[0-9A-Z]{3}$/.test(code);
}

/** There is no such table: nobody has made a store here yet. */
export function isMissing(error: unknown): boolean {
  return (error as { code?: unknown }).code === "42P01";
}
