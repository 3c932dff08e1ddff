import type { Store } from "@behest/core";
import type * as Postgres from "@behest/postgres";
import { CliError } from "./error.ts";

/** `@behest/postgres`, which `variable` asks for. Throws `config_missing` where it is not installed. */
export async function requirePostgres(variable: string): Promise<typeof Postgres> {
  try {
    import.meta.resolve("@behest/postgres");
  } catch {
    throw new CliError(
      "config_missing",
      `config_missing: ${variable} takes another package: npm install @behest/postgres.`,
    );
  }
  return import("@behest/postgres");
}

/** Whether the store that several machines share takes the place of this folder's. */
export function sharesStore(): boolean {
  return Boolean(process.env["BEHEST_STORE"]);
}

/** That store; undefined where there is none. Its URL has a password in it, so no option names it. */
export async function sharedStore(): Promise<Store | undefined> {
  const url = process.env["BEHEST_STORE"];
  if (!url) return undefined;
  const { postgresStore } = await requirePostgres("BEHEST_STORE");
  return postgresStore(url, tenant());
}

/** Whose rows of it, where several deployments are in it. */
export function tenant(): { readonly tenant?: string } {
  const name = process.env["BEHEST_TENANT"];
  return name ? { tenant: name } : {};
}
