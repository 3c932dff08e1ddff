const LOCAL: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/** Where something may be sent: https, or http on this very machine, without a user or a fragment; undefined elsewhere. */
export function addressOf(address: string): { readonly href: string; readonly local: boolean } | undefined {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const local = url?.protocol === "http:" && LOCAL.includes(url.hostname);
  if (!url || !(url.protocol === "https:" || local)) return undefined;
  return url.username === "" && url.password === "" && url.hash === ""
    ? { href: url.href, local }
    : undefined;
}
