/** The setting that names the tenant of a connection; none is the tenant without a name. */
export const TENANT_SETTING = "behest.tenant";

const CURRENT = `coalesce(current_setting('${TENANT_SETTING}', true), '')`;

/** The first column of every table: rows are the tenant's whose connection wrote them. */
export const TENANT: string = `tenant text NOT NULL DEFAULT ${CURRENT}`;

/** In every statement, also where row-level security says the same: a superuser is above that. */
export const MINE: string = `tenant = ${CURRENT}`;

/** SQL that hides the rows of other tenants, from the table's owner too. */
export function isolated(table: string): string {
  return `
    ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
    ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;
    CREATE POLICY behest_tenant ON ${table} USING (${MINE}) WITH CHECK (${MINE});`;
}
