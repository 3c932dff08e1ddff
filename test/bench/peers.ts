// The same work in others' formats and in ours: mint a delegation of three tools with their constraints, hand it to
// an agent that narrows it once for a sub-agent with a key of its own, send it as text, verify it under the issuer's
// key and authorize one call. The issuer's and the agent's keys are there before; keys for the sub-agent are made
// where the format binds keys.
import {
  checkArguments,
  deriveDelegation,
  generateHolder,
  issueDelegation,
  proveAction,
  verifyAction,
  verifyDelegation,
} from "@behest/delegation";
import { CALL, ISSUER, rootClaims, toolsAt } from "./chains.ts";
import { type Figure, atLeast, measured } from "./figure.ts";
import { cpuByTurns } from "./turns.ts";

/** As a bearer would present it, or with the sub-agent's proof of this call. */
async function ourWork(proven: boolean): Promise<() => Promise<void>> {
  const [issuer, agent] = [await generateHolder(), await generateHolder()];
  const options = { issuers: [{ iss: ISSUER, jwk: issuer.jwk }] };
  return async () => {
    const root = await issueDelegation(rootClaims(agent), issuer);
    const helper = await generateHolder();
    const child = await deriveDelegation(root, { holder: helper.jwk, tools: toolsAt(1) }, agent);
    const chain = JSON.stringify(child);
    if (proven) {
      const proof = await proveAction({ delegation: child, ...CALL }, helper);
      await verifyAction({ chain, proof, ...CALL }, options);
    } else {
      const { tools } = await verifyDelegation(chain, options);
      if (checkArguments(tools, CALL.tool, CALL.args)) throw new Error("the call is not granted");
    }
  };
}

async function versus(
  peer: string,
  theirWork: () => unknown,
  options: { readonly proven: boolean; readonly target?: number; readonly rounds?: number },
): Promise<Figure> {
  const [theirs, ours] = await cpuByTurns(theirWork, await ourWork(options.proven), options.rounds);
  const id = `verify-vs-${peer}`;
  const beside = {
    [`${peer} µs`]: Math.round(theirs.own),
    "ours µs": Math.round(ours.own),
    "all threads ×": Number((theirs.all / ours.all).toPrecision(3)),
  };
  const ratio = theirs.own / ours.own;
  return options.target === undefined
    ? measured(id, ratio, "×", beside)
    : atLeast(id, ratio, "×", options.target, beside);
}

export async function versusBiscuit(): Promise<Figure> {
  const { biscuitWork } = await import("./peers/biscuit.ts");
  return versus("biscuit", biscuitWork(), { proven: false, target: 3 });
}

/** Its calls are signed, so ours are proven. */
export async function versusUcanto(): Promise<Figure> {
  const { ucantoWork } = await import("./peers/ucanto.ts");
  return versus("ucanto", await ucantoWork(), { proven: true, rounds: 200 });
}

export async function versusPassport(): Promise<Figure> {
  const { passportWork } = await import("./peers/passport.ts");
  return versus("passport", passportWork(), { proven: false });
}

export async function versusMacaroon(): Promise<Figure> {
  const { macaroonWork } = await import("./peers/macaroon.ts");
  return versus("macaroon", macaroonWork(), { proven: false });
}
