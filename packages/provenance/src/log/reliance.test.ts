import { generateSigner, thumbprint } from "@behest/jws";
import { expect, test } from "vitest";
import { Reliance } from "./reliance.ts";

test("of a key that very much relied on, all is withdrawn that came after its role's end, once", async () => {
  const { jwk } = await generateSigner();
  const reliance = new Reliance();
  for (let index = 0; index < 300_000; index++) reliance.note(thumbprint(jwk), index);
  const withdrawn = reliance.withdraw([{ jwk, until: 10 }]);
  expect([withdrawn.length, withdrawn[0], withdrawn.at(-1)]).toEqual([299_990, 10, 299_999]);
  expect(reliance.withdraw([{ jwk, until: 10 }])).toEqual([]);
});
