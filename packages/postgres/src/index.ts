export { postgresFeed } from "./feed.ts";
export { type PostgresOptions, postgresStore } from "./store/store.ts";
