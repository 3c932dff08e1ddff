import { memoryStore, readStore, signCut, signDecision } from "@behest/core";
import { callTool, openTurn } from "@behest/core/adapter";
import { testBehest } from "@behest/core/testing";
import { type Json, canonical, parseJson, sha256Text, splitCompact, toBase64url } from "@behest/jws";
import { type EvidenceBundle, type Opened, type Shown, commit } from "@behest/provenance";
import { type EvidenceReport, verifyEvidence } from "../src/index.ts";

/** What names, texts and numbers may be where somebody wants to change a page that shows them. */
export const HOSTILE: readonly string[] = [
  `<script>window.ran = 1</script>`,
  `"><img src="https://evil.example/a.png" onerror="window.ran = 2">`,
  `' onmouseover='window.ran=3' style='position:fixed;inset:0`,
  `</style><style>*{display:none}</style><link rel=stylesheet href="//evil.example/a.css">`,
  `</pre></details></bdi></title></svg><h1 id="actions">✓ proven</h1>`,
  `<svg onload="window.ran=4"><a xlink:href="javascript:window.ran=5"><use href="//evil.example/#x"/></a></svg>`,
  `javascript:window.ran=6//`,
  `<base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=//evil.example">`,
  `&lt;script&gt; &#60;b&#62; <!-- ]]> <![CDATA[`,
  `ecila\u202Egnp.exe\u2066 \u200B\u00AD\u2800\u3164 \u{E0041}\u0007\u001b[31m`,
  `Z${"\u0300\u0316\u0488".repeat(40)}algo`,
  `${"W".repeat(3000)} ${"wide ".repeat(50)}`,
];

/** A log in which every name and every text that a caller chooses is hostile, as the process records it. */
export async function hostileLog(): Promise<{
  readonly bundle: EvidenceBundle;
  readonly report: EvidenceReport;
  readonly owner: string;
}> {
  const store = memoryStore();
  const all = HOSTILE.join("\n");
  await using behest = await testBehest({
    store,
    content: "keep",
    policy: "default",
    profiles: { look: { effect: "read", boundary: "inside" } },
    credentials: async () => ({ name: HOSTILE[1]!, value: "secret" }),
  });
  const any = { "*": { constraint_type: "wildcard" } };
  for (const word of HOSTILE) {
    const session = await behest.as(word, { look: any, [word]: any }, { run: word, agent: word });
    const turn = await openTurn(session, { messages: [all, word], json: (value) => value as Json });
    await turn.record({
      model: word.slice(0, 200),
      provider: word.slice(0, 200),
      system: word,
      tools: [word],
      response: { [word]: all },
      alternatives: [word],
      reasoning: [word],
      calls: [{ callId: "c", tool: "look" }],
    });
    const call = { tool: "look", args: { [word]: all }, callId: "c", turn: turn.id };
    const look = (): Promise<unknown> => callTool(session, call, async () => ({ [word]: all }));
    // What is handed a credential leaves the boundary, so it waits for a person.
    await look().catch(() => {});
    for (const waiting of await behest.approvals.list())
      await behest.approvals.submit(
        waiting.id,
        await signDecision(waiting, { decision: "approve" }, behest.approver(waiting.group)),
      );
    await look();
    const child = await session.delegate({ tools: { look: any }, agent: word, task: word });
    await child
      .perform({ tool: "look", args: { word } }, async () => Promise.reject(new Error(all)))
      .catch(() => {});
    await session.perform({ tool: word, args: { word } }, async () => all).catch(() => {});
  }
  await behest.revoke(await signCut({ principal: HOSTILE[0]! }, { reason: all }, behest.revoker));
  await behest.records.get(0);
  const bundle = await readStore(store).evidence();
  const { owner } = behest;
  return { bundle, report: await verifyEvidence(bundle, { owner }), owner };
}

/** Members that a reader of entries takes any text for; those of hashes, times and words stay, as it refuses others. */
const FREE: ReadonlySet<string> = new Set([
  "action",
  "session",
  "tool",
  "check",
  "code",
  "rule",
  "path",
  "model",
  "provider",
  "turn",
  "credential",
  "jti",
  "principal",
]);

/**
 * A bundle that somebody has written who signs nothing: in its entries all that can be is hostile, of these words in
 * turn, and what they commit to opens. `report` is what the verifier says of it, `claimed` what one would say that had
 * been deceived.
 */
export async function forged(
  { bundle, report, owner }: { bundle: EvidenceBundle; report: EvidenceReport; owner: string },
  words: readonly string[],
): Promise<{ bundle: EvidenceBundle; report: EvidenceReport; claimed: EvidenceReport }> {
  let used = 0;
  const next = (): string => words[used++ % words.length]!;
  const salt = "A".repeat(43);
  const content: { [commitment: string]: Opened } = {};
  const documents: { [digest: string]: string } = {};
  const committed = (): string => {
    const text = next();
    const commitment = commit(salt, text);
    content[commitment] = { salt, text };
    return commitment;
  };
  const policies = (): string => {
    const rule = next();
    const document = canonical({ v: 1, schema: "", policies: [[rule, rule]] });
    documents[sha256Text(document)] = document;
    return sha256Text(document);
  };
  const forge = (value: Json, name: string): Json => {
    if (typeof value === "string") return name === "policy" ? policies() : FREE.has(name) ? next() : value;
    if (Array.isArray(value)) return value.map((one: Json) => forge(one, name));
    if (typeof value !== "object" || value === null) return value;
    const members = Object.entries(value as { readonly [name: string]: Json });
    return Object.fromEntries(
      members.map(([member, one]) => [member, name === "content" ? committed() : forge(one, member)]),
    ) as Json;
  };
  const entry = (jws: string): string => {
    const [head, , signature] = jws.split(".");
    const payload = forge(parseJson(splitCompact(jws).payload), "");
    return `${head}.${toBase64url(canonical(payload))}.${signature}`;
  };
  const log = bundle.log.map((shown): Shown => (typeof shown === "string" ? entry(shown) : shown));
  const changed: EvidenceBundle = { ...bundle, log, content, documents };
  const claimed = JSON.parse(JSON.stringify(report), (name, value: unknown) =>
    typeof value === "string" && !OURS.has(name) && !WORDS.has(value) ? next() : value,
  ) as EvidenceReport;
  return { bundle: changed, report: await verifyEvidence(changed, { owner }), claimed };
}

/** Members of a report that only ever are words of ours, and such words where members are named by others. */
const OURS: ReadonlySet<string> = new Set(["state", "verdict", "kind", "decision", "completeness", "result"]);
const WORDS: ReadonlySet<string> = new Set(["proven", "failed", "missing", "erased", "not_shown"]);
