import { cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WitnessProcess } from "../../test/witnessing.ts";
import { Workplace } from "../../test/workplace.ts";

const AGENT = join(import.meta.dirname, "../../test/shown.ts");
let place: Workplace;
let witness: WitnessProcess;
let size: number;
/** How much the log had when the database was copied. */
let early: number;

const agent = (reads: number, spans: string, at?: object): string =>
  place.script(AGENT, "alice.json", String(reads), spans, at ? JSON.stringify(at) : "-");

interface Judged {
  readonly ok: boolean;
  readonly entries: number;
  readonly completeness: string;
  readonly witnessed: readonly { name: string; size: number }[];
  readonly findings: readonly { code: string; state: string }[];
}

/** What `verify` says, whether it likes the log or not. */
function judged(...args: string[]): Judged & { readonly codes: string } {
  const { stdout } = place.behest("verify", "--json", ...args);
  const said = JSON.parse(stdout) as Judged;
  const against = said.findings.filter(({ state }) => state === "failed" || state === "missing");
  return { ...said, codes: [...new Set(against.map(({ code }) => code))].join() };
}

beforeAll(async () => {
  place = Workplace.used();
  const log = place.must("trust", "vkey").trim();
  witness = await WitnessProcess.start(place.path("../witness"), [log], "--name", "witness.example/w1");
  const at = { url: witness.url, vkey: witness.vkey };
  expect(agent(3, "early.otlp", at)).toBe("quiet");
  early = judged().entries;
  cpSync(place.path(".behest"), place.path("../earlier"), { recursive: true });
  expect(agent(12, "spans.otlp", at)).toBe("quiet");
  size = judged().entries;
  const hash = createHash("sha256").update(log.split("+")[0]!).digest("hex");
  const handed = await fetch(`${witness.url}/${hash}/checkpoint`);
  writeFileSync(place.path("witness.note"), await handed.text());
});
afterAll(async () => {
  await witness.kill();
  place[Symbol.dispose]();
});

const asked = (): string[] => ["--witness", witness.vkey];
const shown = (): string[] => ["--cosigned", "witness.note", ...asked()];

test("a store that was shown to a witness is complete up to there, and says who has seen it and when", () => {
  const report = judged(...asked());
  expect(report).toMatchObject({ ok: true, witnessed: [{ name: "witness.example/w1", size }] });
  expect(report.completeness).toMatch(new RegExp(`^complete up to ${size}:`));
  expect(place.must("verify", ...asked())).toMatch(
    /witness +witness\.example\/w1 has cosigned \d+ entries, 20/,
  );
  expect(judged("--cosigned", "witness.note", "--heads", "spans.otlp", ...asked()).ok).toBe(true);
  expect(judged("--heads", "spans.otlp", "--heads", "early.otlp").completeness).toMatch(/^complete up to /);
  // Nobody is pinned, and the trust manifest names nobody: the store's own word proves nothing.
  expect(judged().completeness).toBe("consistent, not proven complete");
});

test("more witnesses than there were are missed, by number, by key and by policy", () => {
  expect(judged("--need", "1").codes).toBe("witnesses_missing");
  const other = witness.vkey.replace("w1+", "w2+");
  expect(place.refusal(place.behest("verify", "--witness", other))).toBe("usage 2");
  const policy = (quorum: string): string[] => {
    writeFileSync(place.path("policy"), `witness A ${witness.vkey}\n${quorum}\n`);
    return ["--policy", "policy"];
  };
  expect(judged(...policy("quorum A")).completeness).toMatch(/^complete up to /);
  writeFileSync(place.path("log.vkey"), place.must("trust", "vkey"));
  expect(judged(...policy(`log ${place.read("log.vkey").trim()}\nquorum A`)).ok).toBe(true);
  expect(place.refusal(place.behest("verify", ...policy("quorum B")))).toBe("malformed_witness_policy 1");
  expect(place.refusal(place.behest("verify", ...policy("quorum A"), ...asked()))).toBe("usage 2");
  expect(place.refusal(place.behest("verify", ...asked(), "--need", "2"))).toBe("usage 2");
});

test("an exported log brings along what was cosigned", () => {
  place.must("verify", "--export", "log.jsonl");
  const files = ["--entries", "log.jsonl", "--checkpoint", "log.jsonl.checkpoint"];
  const owner = ["--owner", place.config.owner];
  expect(judged(...files, ...owner, ...asked()).codes).toBe("witnesses_missing");
  expect(judged(...files, ...owner, ...asked(), "--cosigned", "log.jsonl.cosigned").ok).toBe(true);
});

test("evidence brings along what was cosigned, also of a few records", () => {
  for (const [file, ...of] of [["all.json"], ["part.json", "--tool", "read_file"]] as const) {
    place.must("evidence", "export", "--out", file, ...of);
    const said = place.must("evidence", "verify", file, "--owner", place.config.owner, ...asked());
    expect(said).toContain(`Complete up to the head that was kept (${size}:`);
    const more = place.behest("evidence", "verify", file, "--owner", place.config.owner, "--need", "1");
    expect(place.refusal(more)).toBe("verification_failed 1");
  }
});

test("a file of heads in which there is none, or something else, is refused", () => {
  for (const text of ["", "\n", "{}", "[]", "12", "12:x", '{"resourceSpans":[{"a":"1:b"}]}', "{broken"]) {
    writeFileSync(place.path("heads"), text);
    expect(place.refusal(place.behest("verify", "--heads", "heads"))).toBe("malformed_input 1");
  }
});

/** Puts other files in the place of the store for a while. */
async function instead<T>(change: () => void, look: () => T | Promise<T>): Promise<T> {
  const whole = place.path("../whole");
  cpSync(place.path(".behest"), whole, { recursive: true });
  try {
    change();
    return await look();
  } finally {
    rmSync(place.path(".behest"), { recursive: true });
    cpSync(whole, place.path(".behest"), { recursive: true });
    rmSync(whole, { recursive: true });
  }
}

function removeStore(): void {
  for (const name of readdirSync(place.path(".behest")))
    if (name.startsWith("log.db")) rmSync(place.path(".behest", name), { recursive: true });
}

function putBackEarlier(): void {
  removeStore();
  cpSync(place.path("../earlier"), place.path(".behest"), { recursive: true });
}

/** Whoever holds the database and all keys of the machine has made it consistent again. */
const ATTACKS: readonly [string, () => void, witnessed: string, bySpan: string][] = [
  ["an older database is put back", putBackEarlier, "entries_missing", "entries_missing"],
  [
    "the log is forked: an older one goes on, past where it was",
    () => {
      putBackEarlier();
      agent(20, "other.otlp");
    },
    "head_mismatch",
    "head_mismatch",
  ],
  [
    "all of it is written again with other entry keys",
    () => {
      removeStore();
      agent(30, "other.otlp");
    },
    "head_mismatch",
    "head_mismatch",
  ],
  [
    "it is written again, shorter",
    () => {
      removeStore();
      agent(1, "other.otlp");
    },
    "entries_missing",
    "entries_missing",
  ],
];

test.each(ATTACKS)(
  "%s: found with a head that others hold, and with none consistent",
  async (_, attack, byWitness, bySpan) => {
    await instead(attack, () => {
      const alone = judged();
      expect(alone).toMatchObject({ ok: true, completeness: "consistent, not proven complete" });
      expect(judged(...shown()).codes).toContain(byWitness);
      expect(judged("--heads", "spans.otlp").codes).toContain(bySpan);
      expect(judged("--head", headIn("witness.note")).codes).toBe(byWitness);
    });
  },
);

test("one entry that is changed, with its tree and its checkpoint, is found with a head too", async () => {
  // What the log says of itself finds it as well; see tamper.test.ts.
  const change = (): void => {
    using db = new DatabaseSync(place.path(".behest/log.db"));
    db.exec(`UPDATE entry SET jws = (SELECT jws FROM entry WHERE idx = 5) WHERE idx = ${early}`);
  };
  await instead(change, () => {
    expect(judged(...shown()).codes).toMatch(/head_mismatch/);
  });
});

test("what the store kept of a witness is checked against the log, though nobody asks", async () => {
  const older = (): void => {
    const db = new DatabaseSync(place.path(".behest/log.db"));
    const { note } = db.prepare("SELECT note FROM cosigned").get() as { note: string };
    db.close();
    putBackEarlier();
    using earlier = new DatabaseSync(place.path(".behest/log.db"));
    earlier.prepare("UPDATE cosigned SET note = ?").run(note);
  };
  await instead(older, () => expect(judged().codes).toBe("entries_missing"));
});

test("a process on a log that was put back is told so by the witness, and the witness cosigns nothing of it", async () => {
  const at = { url: witness.url, vkey: witness.vkey };
  await instead(putBackEarlier, () => {
    expect(agent(1, "other.otlp", at)).toBe("BEHEST_WITNESS_CONFLICT");
    expect(agent(30, "other.otlp", at)).toBe("BEHEST_WITNESS_CONFLICT");
    expect(judged(...asked()).completeness).toMatch(new RegExp(`^complete up to ${early}:`));
  });
  expect(agent(1, "more.otlp", at)).toBe("quiet");
});

/** As a person reads it off: `size:root`. */
function headIn(note: string): string {
  const [, entries, root] = readFileSync(place.path(note), "utf8").split("\n");
  return `${entries}:${Buffer.from(root!, "base64").toString("base64url")}`;
}
