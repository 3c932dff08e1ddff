import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generatePrivateJwk, signerOf } from "@behest/jws";
import { signCheckpoint } from "@behest/provenance";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readSidecar, writeSidecar } from "./sidecar.ts";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "behest-sidecar-"));
  path = join(folder, "log.db");
});

afterEach(() => rmSync(folder, { recursive: true }));

test("the highest head stays, whoever writes last", async () => {
  const signer = signerOf(await generatePrivateJwk());
  const note = (size: number): string =>
    signCheckpoint({ origin: "log", size, root: new Uint8Array(32) }, signer);
  expect(readSidecar(path)).toBeUndefined();
  writeSidecar(path, note(7));
  writeSidecar(path, note(5));
  expect(readSidecar(path)).toMatchObject({ size: 7 });
  writeSidecar(path, note(9));
  expect(readSidecar(path)).toMatchObject({ size: 9 });
  writeFileSync(`${path}-head`, note(9).slice(0, 10));
  expect(readSidecar(path)).toBeUndefined();
  writeSidecar(path, note(3));
  expect(readSidecar(path)).toMatchObject({ size: 3 });
  expect(readdirSync(folder)).toEqual(["log.db-head"]);
});
