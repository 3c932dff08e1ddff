export { type ServedList, type StatusListServer, statusListHandler } from "./status/handler.ts";
export { type StatusListClaims, freeIndex, statusList } from "./status/issue.ts";
export { type Status, type StatusOptions, statusChecker, statusReader } from "./status/lists.ts";
