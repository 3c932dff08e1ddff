import { afterAll, describe } from "vitest";
import { storeConformance } from "../../../core/test/store/conformance.ts";
import { postgresServer } from "../../test/server.ts";
import { postgresStore } from "./store.ts";

const server = await postgresServer();
afterAll(() => server?.[Symbol.asyncDispose]());

describe.runIf(server)("a store on PostgreSQL", () => {
  storeConformance("postgres", async () => postgresStore(await server!.url()), {
    swept: false,
  });
});
