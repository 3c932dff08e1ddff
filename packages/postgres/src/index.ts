export { postgresFeed } from "./feed.ts";
export { type Migrated, migrateSqlite } from "./store/migrate.ts";
export { postgresStore } from "./store/store.ts";
export type { PostgresOptions } from "./store/tenants.ts";
