// Prints evidence of a log of everything, and its owner.
import { Office } from "../../packages/evidence/test/office.ts";

await using office = await Office.open();
const { owner } = office.behest;
console.log(JSON.stringify({ owner, bundle: JSON.stringify(await office.reader.evidence()) }));
