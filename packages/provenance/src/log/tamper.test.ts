import { canonical } from "@behest/jws";
import { beforeAll, describe, expect, test } from "vitest";
import { AT, Deployment, ORIGIN, emitterOf, key } from "../../test/deployment.ts";
import { type LogReport, parseEntry, signCheckpoint, signEntry, signTrust, trustHash } from "../index.ts";

/** How often each is tried, each time at another place. */
const PLACES = 200;
const ACTIONS = 24;

let made: Deployment;
let entries: readonly string[];
/** What a witness has seen: the whole log. */
let seen: ReturnType<Deployment["head"]>;
beforeAll(async () => {
  made = await Deployment.withLog(ACTIONS);
  entries = made.entries;
  seen = made.head();
});

/** The same each time, so that what is found once is found again. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function places(seed: number, from: number, to: number): number[] {
  const random = randomOf(seed);
  return Array.from({ length: PLACES }, () => from + random(to - from));
}

/** Whoever holds the entry key signs a checkpoint over anything. */
async function verify(
  changed: readonly string[],
  head?: typeof seen,
  signer = made.emitter.signer,
): Promise<LogReport> {
  const checkpoint = signCheckpoint({ origin: ORIGIN, ...made.head(changed) }, signer);
  return made.verify({ entries: changed, checkpoint, ...(head && { head }) });
}

function codes({ findings }: LogReport): string[] {
  return findings.flatMap(({ index, state, code }) =>
    state === "failed" || state === "missing" ? [`${index} ${code}`] : [],
  );
}

/** Entries from `from` on signed again, so that no number is missing: what an entry key can do. */
function numbered(payloads: readonly string[], from: number): string[] {
  return payloads.map((payload, i) => signEntry(payload, from + i, made.emitter.signer));
}

function payloadsFrom(index: number): string[] {
  return entries.slice(index).map((jws) => parseEntry(jws).payload);
}

describe("without any key", () => {
  test("a flipped bit anywhere", async () => {
    const random = randomOf(7);
    for (const at of places(1, 0, entries.length)) {
      const jws = entries[at]!;
      const place = random(jws.length);
      // Bits of base64url that carry none would be another fault: any other character is refused, too.
      const flipped = jws.slice(0, place) + (jws[place] === "A" ? "B" : "A") + jws.slice(place + 1);
      const report = await made.verify({ entries: entries.with(at, flipped) });
      expect(codes(report).some((code) => code.startsWith(`${at} `))).toBe(true);
      expect(codes(report)).toContain(`${entries.length} root_mismatch`);
    }
  });

  test("an entry that is dropped, moved or there twice", async () => {
    for (const at of places(2, 0, entries.length)) {
      expect(codes(await made.verify({ entries: entries.toSpliced(at, 1) }))).toContain(
        `${entries.length - 1} entries_missing`,
      );
      const other = (at + 1) % entries.length;
      const swapped = entries.with(at, entries[other]!).with(other, entries[at]!);
      expect(codes(await made.verify({ entries: swapped }))).toContain(`${entries.length} root_mismatch`);
      const twice = entries.toSpliced(at, 0, entries[at]!);
      const found = codes(await made.verify({ entries: twice }));
      expect(found.some((code) => /root_mismatch|entries_beyond_checkpoint/.test(code))).toBe(true);
    }
  });

  test("an entry or a checkpoint that a key signed which nobody certified", async () => {
    const stranger = await key();
    for (const at of places(3, 0, entries.length)) {
      const { payload, seq } = parseEntry(entries[at]!);
      const report = await verify(entries.with(at, signEntry(payload, seq, stranger)));
      expect(
        codes(report).some((code) =>
          new RegExp(`^${at} (key_not_certified|certificate_misplaced|trust_missing)$`).test(code),
        ),
      ).toBe(true);
    }
    expect(codes(await verify(entries, undefined, stranger))).toContain(
      `${entries.length} signature_invalid`,
    );
  });
});

describe("with the entry key", () => {
  test("an entry that is dropped from the middle, moved or there twice leaves its number", async () => {
    for (const at of places(4, 1, entries.length - 1)) {
      expect(codes(await verify(entries.toSpliced(at, 1)))).toContain(`${at} sequence_gap`);
      const swapped = entries.with(at, entries[at + 1]!).with(at + 1, entries[at]!);
      expect(codes(await verify(swapped))).toContain(`${at + 1} sequence_repeated`);
      expect(codes(await verify(entries.toSpliced(at, 0, entries[at]!)))).toContain(
        `${at + 1} sequence_repeated`,
      );
    }
  });

  test("an entry that is dropped and all later ones signed again breaks what linked to it, or nothing but a held head", async () => {
    for (const at of places(5, 1, entries.length - 1)) {
      const changed = [...entries.slice(0, at), ...numbered(payloadsFrom(at + 1), at)];
      expect((await verify(changed)).completeness).toBe("consistent, not proven complete");
      expect(codes(await verify(changed, seen))).toContain(`${changed.length} entries_missing`);
    }
  });

  test("a tail that is cut off, or a database that is rolled back, is found with a held head only", async () => {
    for (const at of places(6, 4, entries.length)) {
      const cut = entries.slice(0, at);
      const alone = await verify(cut);
      expect(alone).toMatchObject({ ok: true, completeness: "consistent, not proven complete" });
      const held = await verify(cut, seen);
      expect(held).toMatchObject({ ok: false, completeness: "not consistent" });
      expect(codes(held)).toContain(`${at} entries_missing`);
    }
  });

  test("history that is written anew from some place on is found with a held head only", async () => {
    for (const at of places(7, 3, entries.length - 1)) {
      // Whole actions, so that nothing links to what is not there.
      const from = at - ((at - 3) % 2);
      const later = new Date(Date.parse(AT) + 1).toISOString();
      const payloads = payloadsFrom(from)
        .filter((payload) => payload.includes('"type":"action"'))
        .map((payload) => payload.replace(AT, later));
      const changed = [...entries.slice(0, from), ...numbered(payloads, from)];
      while (changed.length < entries.length)
        changed.push(
          ...numbered([canonical(made.delegation({ jti: `other-${changed.length}` }))], changed.length),
        );
      expect(await verify(changed)).toMatchObject({ ok: true });
      const held = await verify(changed, seen);
      expect(codes(held)).toContain(`${entries.length} head_mismatch`);
    }
  });
});

test("an approver whom the owner has not enrolled is found where somebody enrols one", async () => {
  const [stranger, mallory] = [await key(), await key()];
  const enrolled = {
    ...made.manifest,
    seq: made.manifest.seq + 1,
    prev: trustHash(made.trust),
    approvers: [{ group: "finance", person: "mallory", jwk: mallory.jwk }],
  };
  const manifest = await signTrust(enrolled, stranger);
  const entry = canonical({ v: 1, type: "trust", at: AT, manifest });
  for (const at of places(8, 1, entries.length)) {
    const changed = [...entries.slice(0, at), ...numbered([entry, ...payloadsFrom(at)], at)];
    expect(codes(await verify(changed)).some((code) => code.startsWith(`${at} `))).toBe(true);
  }
});

test("a process that another enforcer certified, whom the owner never named, is found at each of its entries", async () => {
  const emitter = await emitterOf(await key());
  const entry = canonical({ v: 1, type: "trust", at: AT, certificate: emitter.certificate });
  for (const at of places(9, 1, entries.length)) {
    const changed = [
      ...entries.slice(0, at),
      signEntry(entry, 0, emitter.signer),
      ...payloadsFrom(at).map((payload, i) => signEntry(payload, i + 1, emitter.signer)),
    ];
    const found = codes(await verify(changed));
    for (let i = at; i < changed.length; i++)
      expect(found.some((code) => code.startsWith(`${i} `))).toBe(true);
  }
});
