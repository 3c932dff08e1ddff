import { chmodSync, copyFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Workplace } from "../test/workplace.ts";

let place: Workplace;
beforeAll(() => {
  place = Workplace.used();
});
afterAll(() => place[Symbol.dispose]());

const DELEGATE = ["delegate", "--task", "t", "--tool", "a(*)", "--out", "never.json"];
const DERIVE = ["--tool", "read_file(path=/docs/**)"];

/** Code and exit of a command, after a change to a copy of everything; it must leave all files as they were. */
function refused(args: readonly string[], change: (copy: string) => void = () => {}): string {
  return place.after(change, ...args).refusal;
}

/** A change that writes a file of the copy. */
function writing(name: string, text: string): (copy: string) => void {
  return (copy) => writeFileSync(join(copy, name), text);
}

test("init replaces nothing", () => {
  const emptied = (copy: string): void => rmSync(join(copy, ".behest"), { recursive: true });
  expect(refused(["init"])).toBe("config_exists 1");
  expect(
    refused(["init"], (copy) => {
      emptied(copy);
      writeFileSync(join(copy, ".behest"), "");
    }),
  ).toBe("config_exists 1");
  expect(refused(["init", "--keys", place.config.keys], emptied)).toBe("config_exists 1");
  expect(refused(["init", "--dir", "nowhere"])).toBe("file_missing 1");
  expect(refused(["init", "--dir", "alice.json"])).toBe("file_missing 1");
});

test("init that fails half-way leaves nothing", () => {
  using other = new Workplace();
  writeFileSync(join(other.home, ".config"), "no folder");
  const before = other.listing;
  expect(other.refusal(other.behest("init"))).toBe("file_unwritable 1");
  expect(other.listing).toEqual(before);
});

test("no file is overwritten", () => {
  const before = place.read("alice.json");
  const existing = ["--out", "alice.json"];
  expect(refused([...DELEGATE, ...existing])).toBe("file_exists 1");
  expect(refused(["derive", "alice.json", ...DERIVE, ...existing])).toBe("file_exists 1");
  expect(refused(["keys", "new", ...existing])).toBe("file_exists 1");
  expect(refused(["verify", "--export", "alice.json"])).toBe("file_exists 1");
  expect(refused(["verify", "--export", "new"], writing("new.checkpoint", ""))).toBe("file_exists 1");
  expect(
    refused(["keys", "new", "--out", "link"], (copy) => symlinkSync("nowhere", join(copy, "link"))),
  ).toBe("file_exists 1");
  expect(refused(["keys", "new", "--out", "nowhere/key.jwk"])).toBe("file_unwritable 1");
  expect(place.read("alice.json")).toBe(before);
});

test("key files that others can read are refused", () => {
  const opened = (mode: number) => (copy: string) => chmodSync(join(copy, ".behest/agent.jwk"), mode);
  expect(refused(DELEGATE, opened(0o640))).toBe("key_unsafe 1");
  expect(refused(["derive", "alice.json", ...DERIVE], opened(0o604))).toBe("key_unsafe 1");
  expect(
    refused([...DELEGATE, "--holder", "k.jwk"], (copy) => {
      copyFileSync(join(copy, ".behest/agent.jwk"), join(copy, "k.jwk"));
      chmodSync(join(copy, "k.jwk"), 0o644);
    }),
  ).toBe("key_unsafe 1");
  const listed = place.after(opened(0o644), "keys");
  expect(listed.refusal).toBe("key_unsafe 1");
  expect(listed.stdout).toMatch(/agent +key_unsafe/);
});

test("an issuer's key that others can read signs nothing", () => {
  const file = join(place.config.keys, "issuer.jwk");
  chmodSync(file, 0o644);
  expect(refused(DELEGATE)).toBe("key_unsafe 1");
  chmodSync(file, 0o600);
});

test("keys that are none are refused", () => {
  const agent = ".behest/agent.jwk";
  expect(refused(DELEGATE, writing(agent, "{"))).toBe("config_invalid 1");
  expect(refused(DELEGATE, writing(agent, '{"kty":"RSA"}'))).toBe("config_invalid 1");
  expect(refused(DELEGATE, (copy) => rmSync(join(copy, agent)))).toBe("config_missing 1");
  expect(refused([...DELEGATE, "--holder", '{"kty":"OKP","crv":"Ed25519","x":"AA"}'])).toBe(
    "malformed_input 1",
  );
  expect(refused([...DELEGATE, "--holder", "nowhere.jwk"])).toBe("file_missing 1");
  expect(refused([...DELEGATE, "--holder", "alice.json"])).toBe("malformed_input 1");
});

test("a configuration that is none is refused", () => {
  const config = ".behest/config.json";
  expect(refused(DELEGATE, (copy) => rmSync(join(copy, config)))).toBe("config_missing 1");
  for (const text of ["", "{", "null", '{"owner":"x"}', '{"owner":1}'])
    expect(refused(["records"], writing(config, text))).toBe("config_invalid 1");
  expect(refused(["trust", "show"], (copy) => rmSync(join(copy, ".behest/trust.jws")))).toBe(
    "config_invalid 1",
  );
  expect(refused(["trust", "show"], writing(".behest/trust.jws", "x.y"))).toBe("malformed_trust 1");
  const unreadable = (copy: string): void => {
    rmSync(join(copy, ".behest"), { recursive: true });
    symlinkSync(".behest", join(copy, ".behest"));
  };
  expect(refused(["records"], unreadable)).toBe("config_invalid 1");
  const pinned = JSON.stringify({ ...place.config, owner: "A".repeat(43) });
  expect(refused(["trust", "show"], writing(config, pinned))).toBe("owner_mismatch 1");
});

test("keys of another deployment issue nothing here", () => {
  using other = new Workplace();
  other.must("init");
  expect(refused([...DELEGATE, "--keys", other.config.keys])).toBe("issuer_untrusted 1");
});

test("a delegation for longer than tokens may live is refused", () => {
  expect(refused([...DELEGATE, "--expires", "91d"])).toBe("malformed_request 1");
});

test("malformed delegations are refused, by those who read and by those who derive", () => {
  const cut = place.tokens[0]!.slice(0, 100);
  for (const text of ["", "hello", "{", '{"chain":[]}', '{"chain":[1]}', "a.b.c", cut, "\u0000\u0001"]) {
    const ran = place.behestWith({ input: text }, "inspect", "-");
    expect(place.refusal(ran)).toMatch(/^malformed_(?:input|delegation) 1$/);
    expect(ran.stdout).toBe("");
    const derived = place.behestWith({ input: text }, "derive", "-", ...DERIVE);
    expect(place.refusal(derived)).toBe("malformed_delegation 1");
  }
});

test("a delegation that is not true is shown as refused, with the reason as the exit", () => {
  const forged = `${place.tokens[0]!.slice(0, -4)}AAAA`;
  const ran = place.behestWith({ input: forged }, "inspect", "-");
  expect(place.refusal(ran)).toBe("issuer_untrusted 1");
  expect(ran.stdout).toMatch(/^delegation of 1 token: refused here/);
});

test("what is not there cannot be inspected", () => {
  expect(refused(["inspect", "nowhere.json"])).toBe("file_missing 1");
  expect(refused(["inspect", "."])).toBe("file_unreadable 1");
  expect(refused(["inspect", "#99"])).toBe("entry_missing 1");
  expect(refused(["inspect", "99"])).toBe("entry_missing 1");
  expect(refused(["derive", "nowhere.json", ...DERIVE])).toBe("file_missing 1");
});

test("an entry is found by its index, also without the sign that a shell takes for a comment", () => {
  expect(place.must("inspect", "2")).toBe(place.must("inspect", "#2"));
  const { stdout } = place.after(writing("2", place.read("alice.json")), "inspect", "2");
  expect(stdout).toContain("delegation of 1 token");
});

test("what is wrong with a line says where to read on", () => {
  const said = (...args: string[]): string => place.behest(...args).stderr;
  expect(said("evidence")).toBe('usage: which of its commands? See "behest evidence --help".\n');
  expect(said("evidence", "export")).toContain('See "behest evidence export --help".');
  expect(said("revoke", "--holder", "abc", "--reason", "r")).toMatch(/^usage: --holder: .* thumbprint/);
  expect(place.behest("--help").stdout).toMatch(/^  BEHEST_STORE /m);
  const env = { BEHEST_STORE: "mysql://h/db" };
  expect(place.refusal(place.behestWith({ env }, "records"))).toBe("config_invalid 1");
});

test("a key file given to inspect shows nothing of the key", () => {
  expect(refused(["inspect", ".behest/agent.jwk"])).toBe("malformed_delegation 1");
});

test("a holder who is not the parent's cannot derive", () => {
  place.must("keys", "new", "--out", "stranger.jwk");
  expect(refused(["derive", "alice.json", ...DERIVE, "--key", "stranger.jwk"])).toBe("holder_mismatch 1");
});

test("names and tasks cannot write on the screen", () => {
  const evil = "\u001b]0;owned\u0007\u001b[2Jx\r\n#0  verified\u202e";
  const tool = `${JSON.stringify(evil)}(*)`;
  const input = place.must("delegate", "--task", evil, "--principal", evil, "--tool", tool);
  for (const args of [
    ["inspect", "-"],
    ["inspect", "-", "--json"],
  ]) {
    const shown = place.mustWith({ input }, ...args);
    expect(shown).toContain("\\u001b]0;owned");
    expect(shown.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(shown).not.toMatch(/^#0/m);
  }
});
