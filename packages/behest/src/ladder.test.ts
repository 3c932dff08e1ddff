import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type PrivateJwk, signerOf } from "@behest/jws";
import { type Manifest, readTrust, signTrust } from "@behest/provenance";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Workplace } from "../test/workplace.ts";

let place: Workplace;

/** Each test looks at what the first rungs have left. */
beforeAll(() => {
  place = Workplace.used();
});
afterAll(() => place[Symbol.dispose]());

function mode(...path: string[]): string {
  return (statSync(join(...path)).mode & 0o777).toString(8);
}

test("init leaves two folders, each for its owner's eyes alone", () => {
  const { keys } = place.config;
  const own = ["config.json", "trust.jws", "enforcer.jwk", "agent.jwk", ".gitignore"];
  expect([mode(place.path(".behest")), mode(keys)]).toEqual(["700", "700"]);
  expect(new Set(own.map((name) => mode(place.path(".behest"), name)))).toEqual(new Set(["600"]));
  expect(["owner.jwk", "issuer.jwk", "issuer.json"].map((name) => mode(keys, name))).toEqual([
    "600",
    "600",
    "600",
  ]);
  expect(keys.startsWith(join(place.home, ".config", "behest"))).toBe(true);
  expect(place.read(".behest/.gitignore")).toBe("*\n!profiles.json\n");
});

test("init pins the owner who signed the manifest, and gives each key one role", () => {
  const { owner, manifest } = place.json("trust", "show") as { owner: string; manifest: object };
  const keys = place.json("keys") as { role: string; thumbprint: string; state: string }[];
  const states = keys.map(({ role, state }) => `${role} ${state}`);
  expect(states).toEqual(["owner ok", "issuer ok", "approver ok", "revoker ok", "enforcer ok", "agent ok"]);
  expect(new Set(keys.map(({ thumbprint }) => thumbprint)).size).toBe(6);
  expect(keys[0]!.thumbprint).toBe(owner);
  expect(manifest).toMatchObject({
    rung: "local",
    seq: 0,
    issuers: [{ rung: "local" }],
    enforcers: [{}],
    approvers: [{ group: "approvers" }, { group: "break-glass" }],
    revokers: [{ scope: "*" }],
  });
  expect(place.must("trust")).toContain(owner);
});

test("trust shows who may attest agents", async () => {
  const read = (name: string): unknown => JSON.parse(readFileSync(join(place.config.keys, name), "utf8"));
  const [owner, issuer] = [read("owner.jwk") as PrivateJwk, read("issuer.jwk") as PrivateJwk];
  const { manifest } = place.json("trust", "show") as { manifest: Manifest };
  const { jwk } = signerOf(issuer);
  const jws = await signTrust({ ...manifest, deployers: [{ deployer: "acme", jwk }] }, signerOf(owner));
  const listed = (copy: string): void => writeFileSync(join(copy, ".behest", "trust.jws"), jws);
  expect(place.after(listed, "trust", "show").stdout).toMatch(/deployer +attest agents of acme +all/);
});

test("init keeps the owner's and the issuer's keys where XDG or the person says", () => {
  using other = new Workplace();
  const env = { XDG_CONFIG_HOME: join(other.root, "xdg") };
  other.mustWith({ env }, "init");
  expect(other.config.keys.startsWith(join(other.root, "xdg", "behest"))).toBe(true);
  const made = other.json("init", "--dir", other.home, "--keys", join(other.root, "stick", "keys"));
  expect(made).toMatchObject({
    folder: join(other.home, ".behest"),
    keys: join(other.root, "stick", "keys"),
  });
});

test("a delegation is for its owner's eyes alone, and says in words what it permits", () => {
  expect(mode(place.path("alice.json"))).toBe("600");
  expect(place.json("inspect", "alice.json")).toMatchObject({
    verified: true,
    hops: [{ sub: "alice", task: "Answer my mail", depth: 0, maxDepth: 3 }],
  });
  const shown = place.must("inspect", "alice.json");
  expect(shown).toContain("verified under the owner");
  expect(shown).toContain("read_file(path=/docs/**)");
  expect(shown).toContain("to=@example.com");
  expect(shown).toMatch(/alice, asserted by key [\w-]{43}/);
});

test("without --out a delegation goes to standard output alone, ready to be piped", () => {
  const root = place.must(
    "delegate",
    "--task",
    "t",
    "--tool",
    "read_file(path=/docs/**)",
    "--max-depth",
    "1",
    "--agent",
    "assistant",
  );
  const input = place.mustWith({ input: root }, "derive", "-", "--tool", "read_file(path=/docs/a/**)");
  expect(JSON.parse(place.mustWith({ input }, "inspect", "-", "--json"))).toMatchObject({
    hops: [
      { maxDepth: 1, agent: "assistant" },
      { depth: 1, grants: ["read_file(path=/docs/a/**)"] },
    ],
  });
  expect(place.must("inspect", input.trim())).toContain("delegation of 2 tokens: verified");
});

test("a tenant is asserted by name, and shown to be", () => {
  const tool = ["--tool", "read_file(path=/docs/**)"];
  const input = place.must("delegate", "--task", "t", "--tenant", "acme", ...tool);
  expect(JSON.parse(place.mustWith({ input }, "inspect", "-", "--json"))).toMatchObject({
    verified: true,
    hops: [{ tenant: "acme" }],
  });
  expect(place.mustWith({ input }, "inspect", "-")).toMatch(/^tenant +acme$/m);
  expect(place.refusal(place.behest("delegate", "--task", "t", "--tenant", "", ...tool))).toMatch(
    /^malformed_request 1$/,
  );
});

test("trust says which subjects and tenants an issuer may assert; beyond them it delegates nothing", async () => {
  const { owner, keys } = place.config;
  const manifest = await readTrust(place.read(".behest/trust.jws").trim(), owner);
  const issuers = manifest.issuers.map((issuer) => ({ ...issuer, tenants: ["acme", "globex"] }));
  const key = JSON.parse(readFileSync(join(keys, "owner.jwk"), "utf8")) as PrivateJwk;
  const limited = await signTrust({ ...manifest, issuers }, signerOf(key));
  const limit = (copy: string): void => writeFileSync(join(copy, ".behest", "trust.jws"), limited);
  expect(place.after(limit, "trust").stdout).toMatch(/delegates for anybody in acme/);
  expect(place.must("trust")).toMatch(/delegates for anybody {2}/);
  const delegate = ["delegate", "--task", "t", "--tool", "a(*)"];
  expect(place.after(limit, ...delegate).refusal).toBe("issuer_not_allowed 1");
  expect(place.after(limit, ...delegate, "--tenant", "initech").refusal).toBe("issuer_not_allowed 1");
  expect(place.after(limit, ...delegate, "--tenant", "acme").stdout).toMatch(/^\{"chain":/);
  expect(place.after(limit, "inspect", "alice.json").refusal).toBe("issuer_not_allowed 1");
});

test("a narrower delegation is derived, for another key too, which can hand on what it got", () => {
  const made = place.json("keys", "new", "--out", "reader.jwk") as { thumbprint: string; jwk: object };
  expect(mode(place.path("reader.jwk"))).toBe("600");
  const tool = ["--tool", "send_mail(to=bob@example.com, subject=*, body=*)"];
  const child = [...tool, "--holder", JSON.stringify(made.jwk), "--agent", "mailer", "--expires", "5m"];
  expect(place.json("derive", "alice.json", ...child, "--out", "bob.json")).toMatchObject({
    file: "bob.json",
    holder: made.thumbprint,
    tools: ["send_mail"],
  });
  place.must(
    "derive",
    "bob.json",
    ...tool,
    "--key",
    "reader.jwk",
    "--holder",
    "reader.jwk",
    "--out",
    "carol.json",
  );
  expect(place.json("inspect", "carol.json")).toMatchObject({
    verified: true,
    hops: [{}, { agent: "mailer" }, { depth: 2 }],
  });
});

test("a wider one is refused with every place where it is wider, and nothing is written", () => {
  const before = place.listing;
  const wide = ["--tool", "send_mail(*)", "--tool", "pay(*)", "--expires", "2d", "--out", "wide.json"];
  const ran = place.behest("derive", "alice.json", ...wide, "--json");
  expect(place.refusal(ran)).toBe("wider_than_parent 1");
  const { wider } = JSON.parse(ran.stdout) as { wider: { path: string }[] };
  const paths = wider.map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(["tools.pay", "tools.send_mail.to", "exp"]));
  for (const path of paths) expect(ran.stderr).toContain(path);
  expect(place.listing).toEqual(before);
});

test("records say who did what at whose behest, and can be asked for in every way", () => {
  const all = place.must("records", "--json").trimEnd().split("\n");
  const session = (JSON.parse(all[0]!) as { session: string }).session;
  const list = (...args: string[]): string[] => {
    const lines = place
      .must("records", "--json", ...args)
      .split("\n")
      .filter(Boolean);
    const found = lines.map((line) => JSON.parse(line) as { [name: string]: string });
    return found.map(({ principal, agent, tool, verdict, code, outcome = "-" }) =>
      [principal, agent, tool, verdict, code, outcome].join(" "),
    );
  };
  const sent = "alice assistant send_mail permit ok done";
  const denied = "alice assistant send_mail deny argument_not_granted -";
  const read = "alice reader read_file permit ok done";
  expect(list()).toEqual([sent, denied, read]);
  expect(list("--verdict", "deny")).toEqual([denied]);
  expect(list("--agent", "reader")).toEqual([read]);
  expect(list("--tool", "send_mail", "--verdict", "permit")).toEqual([sent]);
  expect(list("--principal", "bob")).toEqual([]);
  expect(list("--limit", "2")).toEqual([denied, read]);
  expect(list("--session", session)).toEqual([sent, denied, read]);
  expect(list("--session", session.slice(0, -1))).toEqual([]);
  expect(list("--since", "1d", "--until", "2999-01-01")).toEqual([sent, denied, read]);
  expect(list("--until", "2026-01-01T00:00Z")).toEqual([]);
  expect(place.must("records")).toMatch(/alice +reader +read_file +permit +ok +done/);
});

test("the log verifies, with the chains of its delegations", () => {
  expect(place.json("verify")).toMatchObject({
    ok: true,
    entries: 8,
    proven: 8,
    actions: { permit: 2, deny: 1, ask: 0 },
    counts: { principals: 1, delegation: 2 },
    chains: 2,
    findings: [],
    completeness: "consistent, not proven complete",
  });
  const shown = place.must("verify");
  expect(shown).toMatch(/actions +2 permitted, 1 denied/);
  expect(shown).toContain("A stranger pins it");
});

test("a stranger verifies an export from the owner's thumbprint alone, and sees what is not shown", () => {
  place.must("verify", "--export", "log.jsonl");
  const { owner, head } = place.json("verify") as { owner: string; head: string };
  const evidence = ["--entries", place.path("log.jsonl"), "--checkpoint", place.path("log.jsonl.checkpoint")];
  const elsewhere = { cwd: place.home };
  const seen = place.mustWith(elsewhere, "verify", ...evidence, "--owner", owner, "--head", head, "--json");
  expect(JSON.parse(seen)).toMatchObject({
    ok: true,
    completeness: `complete up to ${head}`,
    findings: [{ state: "not_shown", code: "token_not_shown" }, { state: "not_shown" }],
  });
  expect(place.behestWith(elsewhere, "verify", ...evidence).stderr).toMatch(/^usage: --owner: pin the owner/);
  const other = place.behestWith(elsewhere, "verify", ...evidence, "--owner", "A".repeat(43), "--json");
  expect(place.refusal(other)).toBe("verification_failed 1");
  expect(JSON.parse(other.stdout)).toMatchObject({ ok: false, proven: 0, actions: { permit: 0 } });
});

test("entries are shown in words", () => {
  expect(place.json("inspect", "#0")).toMatchObject({ index: 0, seq: 0, payload: { type: "trust" } });
  const action = place.must("inspect", "#2");
  expect(action).toMatch(/^action entry #2: not verified here/);
  expect(action).toMatch(/tool +send_mail/);
  place.must("verify", "--export", "again.jsonl");
  const line = place.read("again.jsonl").split("\n")[2]!;
  expect(place.json("inspect", line)).toMatchObject({ payload: { type: "action", tool: "send_mail" } });
});

test("coverage tells what the middleware met and what was granted and never met", () => {
  const at = expect.any(Number) as number;
  const undeclared = { search_web: { effect: "irreversible", boundary: "outside" } };
  expect(place.json("coverage")).toEqual({
    seen: [
      { tool: "search_web", kind: "wrapped", declared: false, at },
      { tool: "send_mail", kind: "wrapped", declared: true, at },
      { tool: "web_search", kind: "provider", declared: false, at },
    ],
    neverSeen: ["read_file"],
    unreadDelegations: 0,
    undeclared,
  });
  const said = place.must("coverage");
  expect(said).toMatch(/search_web +wrapped +undeclared[\s\S]*send_mail +wrapped +declared/);
  expect(said).toMatch(/read_file +never seen/);
  const pasted = /\n(\{\n[\s\S]*\n\})\n/.exec(said)![1]!;
  expect(JSON.parse(pasted)).toEqual(undeclared);
  place.declare({ ...(JSON.parse(place.read(".behest/profiles.json")) as object), ...undeclared });
  expect(place.json("coverage")).toMatchObject({ undeclared: {} });
});

test("keys that were moved away still sign, for an agent elsewhere", () => {
  using person = new Workplace();
  const made = place.json("keys", "new", "--out", "remote.jwk") as { jwk: object };
  const where = ["--keys", place.config.keys, "--holder", JSON.stringify(made.jwk)];
  const input = person.must("delegate", "--task", "t", "--tool", "a(*)", ...where);
  expect(JSON.parse(place.mustWith({ input }, "inspect", "-", "--json"))).toMatchObject({ verified: true });
  expect(person.mustWith({ input }, "inspect", "-")).toContain("not verified, there is no .behest/ here");
});

test("output is plain where it is no terminal, whatever the environment wants", () => {
  expect(place.mustWith({ env: { FORCE_COLOR: "3" } }, "records")).not.toContain("\u001b");
});

test("no run has printed a private key, nor a token as an error", () => {
  const { secrets, tokens, said } = place;
  expect(secrets.length).toBeGreaterThan(5);
  expect(tokens).toHaveLength(1);
  expect(said.length).toBeGreaterThan(20);
  for (const { stdout, stderr } of said) {
    for (const secret of secrets) expect(stdout + stderr).not.toContain(secret);
    for (const token of tokens) expect(stderr).not.toContain(token);
  }
});
