// The whole way: a provider disables an account, a cut comes of it, agents stop, and a stranger reads it in a status list.
import { type Delegation, generateHolder, issueDelegation, verifyDelegation } from "@behest/delegation";
import { statusChecker, statusListHandler } from "@behest/delegation/status";
import { generatePrivateJwk, signerOf, thumbprint } from "@behest/jws";
import { type Manifest, signCut, signTrust } from "@behest/provenance";
import { expect, test } from "vitest";
import { serve } from "../../test/http/serve.ts";
import { IDP, RECEIVER, RISC, newKey, signal } from "../../test/http/transmitter.ts";
import { type Feed, createBehest, memoryStore } from "../index.ts";
import { START, headAfter } from "../revocation/feed.ts";
import { MemoryFeed } from "../revocation/memory.ts";
import { cutsIn, signalReceiver, submitTo } from "./index.ts";

const keys = async () => signerOf(await generatePrivateJwk());
const [owner, issuer, enforcer, revoker] = [await keys(), await keys(), await keys(), await keys()];
const agent = await generateHolder();
const manifest: Manifest = {
  v: 1,
  seq: 0,
  at: new Date(0).toISOString(),
  origin: "behest.test/log",
  issuers: [{ iss: IDP, jwk: issuer.jwk }],
  enforcers: [{ jwk: enforcer.jwk }],
  approvers: [],
  revokers: [{ scope: `issuer:${IDP}`, jwk: revoker.jwk }],
  witnesses: [],
};
const trust = { owner: thumbprint(owner.jwk), manifest: await signTrust(manifest, owner) };
const uri = "https://issuer.test/status/1";
const issue = (principal: string, idx: number, now?: number): Promise<Delegation> =>
  issueDelegation(
    {
      issuer: IDP,
      holder: agent.jwk,
      principal,
      task: "t",
      tools: { read: {} },
      expiresIn: "1h",
      status: { uri, idx },
      ...(now !== undefined && { now }),
    },
    issuer,
  );

test("an account that a provider disables stops its agents here, and shows in the issuer's list elsewhere", async () => {
  const feed = new MemoryFeed();
  const issued = [await issue("alice", 5), await issue("bob", 6)].map((delegation, i) => ({
    delegation,
    idx: 5 + i,
  }));
  const handler = statusListHandler(
    {
      lists: [
        {
          uri,
          size: 64,
          revoked: async () => {
            const isCut = await cutsIn(feed, trust);
            return issued.filter(({ delegation }) => isCut(delegation)).map(({ idx }) => idx);
          },
        },
      ],
    },
    issuer,
  );
  const lists = (url: string): Promise<Response> => handler(new Request(url));
  await using behest = await createBehest({
    trust,
    signer: enforcer,
    store: memoryStore(),
    holder: agent,
    feed,
    status: lists,
  });
  const sessions = await Promise.all(issued.map(({ delegation }) => behest.open(delegation)));

  const provider = await newKey("RS256");
  const { push } = signalReceiver({
    transmitters: [{ iss: IDP, audience: RECEIVER, speaksFor: [IDP], jwk: provider.jwk }],
    revoker,
    submit: submitTo(feed, trust),
  });
  await using to = await serve(push);
  const { status } = await fetch(to.origin, {
    method: "POST",
    headers: { "content-type": "application/secevent+jwt" },
    body: await signal(provider, { events: { [`${RISC}account-disabled`]: {} } }),
  });
  expect(status).toBe(202);
  await expect.poll(() => sessions.map((session) => session.signal.aborted)).toEqual([true, false]);

  // A stranger, who knows the issuer and nothing of the feed.
  const stranger = { issuers: [{ iss: IDP, jwk: issuer.jwk }] };
  const verdicts = async (): Promise<string[]> =>
    Promise.all(
      issued.map(({ delegation }) =>
        verifyDelegation(delegation, {
          ...stranger,
          status: statusChecker({ ...stranger, fetch: lists }),
        }).then(
          () => "holds",
          (error: { code: string }) => error.code,
        ),
      ),
    );
  await expect.poll(verdicts).toEqual(["revoked", "holds"]);
});

test("a feed takes cuts of enrolled revokers only, within their scope, each once", async () => {
  const feed = new MemoryFeed();
  const submit = submitTo(feed, trust);
  const own = await signCut({ principal: "alice", issuer: IDP }, { reason: "r" }, revoker);
  await submit(own);
  await submit(own);
  expect(feed.seq).toBe(1);
  const stranger = await keys();
  for (const wrong of [
    await signCut({ principal: "alice" }, { reason: "r" }, stranger),
    await signCut({ principal: "alice", issuer: "https://other.test" }, { reason: "r" }, revoker),
    { jws: `${own.jws.slice(0, -4)}AAAA` },
  ])
    await expect(submit(wrong)).rejects.toMatchObject({ code: "revocation_refused" });
  expect(feed.seq).toBe(1);
});

test("a feed that comes in pages is read to its end", async () => {
  const feed = new MemoryFeed();
  const now = Math.floor(Date.now() / 1000);
  const people = ["alice", "bob", "carol"];
  for (const principal of people)
    await submitTo(feed, trust)(await signCut({ principal }, { reason: "r", at: now - 45 }, revoker));
  const { rows } = await feed.read(0);
  feed.read = async (after) => ({
    rows: rows.slice(after, after + 1),
    head: rows.slice(0, after + 1).reduce(headAfter, START),
  });
  const isCut = await cutsIn(feed, trust);
  const delegations = await Promise.all(people.map((principal, idx) => issue(principal, idx, now - 60)));
  expect(delegations.map(isCut)).toEqual([true, true, true]);
});

test("what is cut is what was issued up to then, as the feed has it; a feed that was changed says nothing", async () => {
  const feed = new MemoryFeed();
  const now = Math.floor(Date.now() / 1000);
  const [before, after, other] = [
    await issue("alice", 1, now - 60),
    await issue("alice", 2),
    await issue("bob", 3),
  ];
  await submitTo(feed, trust)(await signCut({ principal: "alice" }, { reason: "r", at: now - 45 }, revoker));
  const isCut = await cutsIn(feed, trust);
  expect([before, after, other].map(isCut)).toEqual([true, false, false]);
  const page = await feed.read(0);
  const trimmed: Feed = {
    append: (cut) => feed.append(cut),
    read: async () => ({ ...page, rows: [] }),
    watch: (wake) => feed.watch(wake),
    close: () => feed.close(),
  };
  await expect(cutsIn(trimmed, trust)).rejects.toMatchObject({ code: "store_mismatch" });
});
