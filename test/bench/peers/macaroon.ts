// Macaroons: one HMAC a caveat, so whoever verifies can mint, and nothing proves who presents it. Caveats are text
// without a meaning of their own: these carry our grants, and our own check decides on them.
import { type AatTools, checkArguments } from "@behest/delegation";
// @ts-expect-error -- it has no types
import macaroons from "macaroon";
import { CALL, toolsAt } from "../chains.ts";

interface Macaroon {
  addFirstPartyCaveat(caveat: string): void;
  exportJSON(): object;
  verify(
    rootKey: Uint8Array,
    check: (caveat: string) => string | null,
    discharges: readonly Macaroon[],
  ): void;
}
const { newMacaroon, importMacaroon } = macaroons as {
  newMacaroon(of: object): Macaroon;
  importMacaroon(json: object): Macaroon;
};

function restrict(macaroon: Macaroon, hop: number): void {
  macaroon.addFirstPartyCaveat(`expires ${Date.now() + 3_600_000}`);
  macaroon.addFirstPartyCaveat(`tools ${JSON.stringify(toolsAt(hop))}`);
}

/** Null where the caveat holds. */
function failing(caveat: string): string | null {
  const value: unknown = JSON.parse(caveat.slice(caveat.indexOf(" ") + 1));
  const holds = caveat.startsWith("expires ")
    ? Date.now() < (value as number)
    : caveat.startsWith("tools ") && !checkArguments(value as AatTools, CALL.tool, CALL.args);
  return holds ? null : "refused";
}

/** As JSON: the binary form doubles its buffer at every field, until there is no memory left. */
function sent(macaroon: Macaroon): Macaroon {
  return importMacaroon(JSON.parse(JSON.stringify(macaroon.exportJSON())) as object);
}

export function macaroonWork(): () => void {
  const rootKey = crypto.getRandomValues(new Uint8Array(32));
  return () => {
    const minted = newMacaroon({ identifier: "user-7", location: "issuer.test", rootKey, version: 2 });
    restrict(minted, 0);
    const handed = sent(minted);
    restrict(handed, 1);
    sent(handed).verify(rootKey, failing, []);
  };
}
