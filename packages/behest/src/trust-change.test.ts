import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Manifest } from "@behest/provenance";
import { Workplace } from "../test/workplace.ts";

let place: Workplace;
beforeEach(() => {
  place = Workplace.paying("me");
  expect(place.pay("me")).toBe("paid");
});
afterEach(() => place[Symbol.dispose]());

const keyOf = (role: string): string =>
  (place.json("keys") as { role: string; thumbprint: string }[]).find((row) => row.role === role)!.thumbprint;
const size = (): number => (place.json("verify") as { entries: number }).entries;

test("a lost issuer's roots are refused from then on; what was done before stays proven", () => {
  const entries = size();
  place.must("trust", "revoke-key", keyOf("issuer").slice(0, 12), "--after-index", String(entries - 1));
  expect(place.must("trust")).toMatch(new RegExp(`issuer .* 0 to ${entries - 1} `));
  expect(place.pay("me")).toBe("delegation_invalid");
  expect(place.json("verify")).toMatchObject({ ok: true });
});

test("a lost enforcer's entries after that index are not proven", () => {
  place.must("trust", "revoke-key", keyOf("enforcer"), "--after-index", "1");
  // Whoever verifies takes the manifest in force from the log; here, that of another enforcer's start.
  const fresh = place.json("trust") as { manifest: { enforcers: { jwk: object; until?: number }[] } };
  expect(fresh.manifest.enforcers).toMatchObject([{ until: 2 }]);
  expect(place.pay("me")).toBe("trust_invalid");
});

test("a changed manifest is signed as the next version, and processes go on under it", () => {
  const { manifest } = place.json("trust") as { manifest: { seq: number; approvers: object[] } };
  writeFileSync(place.path("trust.json"), JSON.stringify({ ...manifest, approvers: [] }));
  expect(place.must("trust", "sign", "trust.json")).toContain("version 1 is in place");
  expect(place.json("trust")).toMatchObject({ manifest: { seq: 1, approvers: [] } });
  expect(place.pay("me")).toBe("paid");
  expect(place.json("verify")).toMatchObject({ ok: true });
});

test("another owner's key, an unknown key or another log's manifest changes nothing", () => {
  const before = place.read(".behest/trust.jws");
  const refused = (...args: string[]): string => place.refusal(place.behest("trust", ...args));
  expect(refused("revoke-key", "nobody-at-all", "--after-index", "1")).toBe("key_unknown 1");
  // The log is shorter: the key would go on being trusted.
  expect(refused("revoke-key", keyOf("issuer"), "--after-index", String(size()))).toBe("entry_missing 1");
  expect(refused("revoke-key", keyOf("issuer"))).toBe("usage 2");
  expect(refused("revoke-key", keyOf("issuer"), "--after-index", "x")).toBe("usage 2");
  writeFileSync(place.path("other.json"), "{}");
  expect(refused("sign", "other.json")).toBe("usage 2");
  writeFileSync(place.path("none.json"), "no");
  expect(refused("sign", "none.json")).toBe("malformed_input 1");
  expect(place.read(".behest/trust.jws")).toBe(before);
});

test("two changes in a row are one version more for the log, and nothing has to start in between", () => {
  const entries = size();
  for (const role of ["approver", "revoker"])
    place.must("trust", "revoke-key", keyOf(role), "--after-index", String(entries - 1));
  const { manifest } = place.json("trust") as { manifest: Manifest };
  expect(manifest).toMatchObject({ seq: 1, revokers: [{ until: entries }] });
  for (const { until } of manifest.approvers) expect(until).toBe(entries);
  expect(place.pay("me")).toBe("paid");
  expect(place.json("verify")).toMatchObject({ ok: true });
});

test("where keepers have to sign too, the owner alone changes nothing; drafts go round", () => {
  const keepers = ["ann", "ben"].map((person) => {
    const { jwk } = JSON.parse(place.must("keys", "new", "--out", `${person}.jwk`, "--json")) as {
      jwk: object;
    };
    return { person, jwk };
  });
  const { manifest } = place.json("trust") as { manifest: Manifest };
  writeFileSync(place.path("trust.json"), JSON.stringify({ ...manifest, changes: { need: 2, keepers } }));
  place.must("trust", "sign", "trust.json");
  expect(place.must("trust")).toContain("ann countersigns changes (2 needed)");
  expect(place.pay("me")).toBe("paid");
  const refused = (...args: string[]): string => place.refusal(place.behest("trust", ...args));
  expect(refused("revoke-key", keyOf("revoker"), "--after-index", "1")).toBe("changes_unsigned 1");
  place.must("trust", "revoke-key", keyOf("revoker"), "--after-index", "1", "--draft", "next.json");
  expect(refused("sign", "next.json")).toBe("changes_unsigned 1");
  place.must("trust", "countersign", "next.json", "--key", "ann.jwk");
  expect(refused("sign", "next.json")).toBe("changes_unsigned 1");
  const shown = place.must("trust", "show", "next.json");
  expect(shown).toMatch(/^version +2, a draft of .*, not verified/m);
  expect(shown).toMatch(/^revoker +revoke in \* +0 to 1 /m);
  expect(shown).toMatch(/^countersigned +1 times$/m);
  expect(refused("show", "me.json")).toBe("malformed_input 1");
  // What is no draft is neither signed nor written to.
  const given = place.read("me.json");
  for (const other of ["me.json", "trust.json"])
    expect(refused("countersign", other, "--key", "ben.jwk")).toBe("malformed_input 1");
  expect(place.read("me.json")).toBe(given);
  const half = JSON.parse(place.read("next.json")) as Manifest;
  writeFileSync(place.path("broken.json"), JSON.stringify({ ...half, issuers: [{}] }));
  expect(refused("countersign", "broken.json", "--key", "ben.jwk")).toBe("malformed_trust 1");
  expect(refused("show", "broken.json")).toBe("malformed_trust 1");
  place.must("trust", "countersign", "next.json", "--key", "ben.jwk");
  const draft = JSON.parse(place.read("next.json")) as Manifest;
  // What was countersigned is what is signed.
  writeFileSync(place.path("other.json"), JSON.stringify({ ...draft, approvers: [] }));
  expect(refused("sign", "other.json")).toBe("changes_unsigned 1");
  expect(place.must("trust", "sign", "next.json")).toContain("version 2 is in place");
  expect(place.json("trust")).toMatchObject({ manifest: { revokers: [{ until: 2 }] } });
  expect(place.pay("me")).toBe("paid");
  expect(place.json("verify")).toMatchObject({ ok: true });
});
