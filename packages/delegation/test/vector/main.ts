// npm run vectors: writes the files again, each byte as before where nothing has changed.
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { vectors } from "./all.ts";

const folder = resolve(import.meta.dirname, "../../vectors");
const files = vectors();
for (const name of readdirSync(folder))
  if (name.endsWith(".json") && !files.has(name)) rmSync(resolve(folder, name));
for (const [name, text] of files) writeFileSync(resolve(folder, name), text);
console.log(`${files.size} files`);
