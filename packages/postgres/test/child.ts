// A process with a store of its own, at the orders of its parent: see core/test/store/remote.ts.
import { serve } from "../../core/test/store/serve.ts";
import { postgresStore } from "../src/index.ts";

const [url = "", options = "{}"] = process.argv.slice(2);
serve(postgresStore(url, JSON.parse(options)));
