import init, * as cedar from "@cedar-policy/cedar-wasm/web";
import { type EvidenceOptions, verifyEvidence } from "@behest/evidence";
import { readBundle } from "@behest/provenance";
import { beforeAll, expect, inject, test } from "vitest";

const options: EvidenceOptions = { owner: inject("owner"), cedar: cedar as never };
beforeAll(async () => void (await init()));

test("a bundle that Node made is verified here, its grants and policies evaluated again", async () => {
  const report = await verifyEvidence(readBundle(inject("bundle")), options);
  expect(report.findings).toEqual([]);
  expect(report.ok).toBe(true);
  const states = report.records.flatMap((record) => Object.entries(record.states));
  expect(states.filter(([, state]) => state !== "proven")).toEqual([]);
  expect(states.map(([aspect]) => aspect)).toEqual(
    expect.arrayContaining(["policy", "approval", "revocation"]),
  );
});

test("and one that was changed is refused here as well", async () => {
  const changed = inject("bundle").replace('"subject":"alice"', '"subject":"mallory"');
  const report = await verifyEvidence(readBundle(changed), options);
  expect(report.ok).toBe(false);
  expect(report.findings.map(({ code }) => code)).toContain("delegation_mismatch");
});
