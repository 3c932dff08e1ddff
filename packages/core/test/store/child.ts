// A process with a store of its own, at the orders of its parent: see remote.ts.
import { sqliteStore } from "../../src/store/sqlite/store.ts";
import { serve } from "./serve.ts";

const [path = "", options = "{}"] = process.argv.slice(2);
serve(sqliteStore(path, JSON.parse(options)));
