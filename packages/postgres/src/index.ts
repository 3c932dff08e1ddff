export { postgresFeed } from "./feed.ts";
