import { BehestError } from "@behest/core";

export interface PostgresOptions {
  /** Keeps this deployment's rows apart from those of others in the same tables, by row-level security. */
  readonly tenant?: string;
}

/** Throws `config_invalid` where a name could be mistaken for another one, or is none. */
export function checkedTenant(tenant: string | undefined): string | undefined {
  if (tenant === undefined || /^[\w.:@/-]{1,200}$/.test(tenant)) return tenant;
  throw new BehestError(
    "config_invalid",
    "config_invalid: a tenant's name has 1 to 200 letters, digits and . _ - : @ /.",
  );
}
