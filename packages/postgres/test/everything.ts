import { chargeOf } from "../../core/test/store/charges.ts";
import { type OpenLog, placedOf } from "../../core/test/store/open-log.ts";

/** Writes something of every kind, which names `name`; one attempt is left running. */
export async function writeEverything(
  { engine, deployment, delegation }: OpenLog,
  name: string,
): Promise<void> {
  const charges = [chargeOf("counter", "1", "5")];
  const { journal } = deployment.interaction(delegation, "t");
  const { entry } = deployment.denial("asked", delegation);
  const expires = Date.now() + 60_000;
  const sealed = new TextEncoder().encode(name);
  await engine.append({ entry, once: "once", journal: { ...journal!, sealed } });
  const asked = { kind: "ask", args: "args", principal: "p1", run: "r", expires, sealed } as const;
  await engine.append({ entry, approval: { ...asked, id: "asked" }, decides: ["asked"] });
  const begin = deployment.begin("action", delegation, { charges });
  const placed = placedOf(await engine.begin(begin));
  const content = ["result", "other"].map((id) => ({ id, principal: "p1", sealed }));
  await engine.finish(deployment.finish(begin, placed, { result: "result", content }));
  await engine.begin({ ...begin, action: "spawn", entry: undefined!, content });
  await engine.principal("iss", "alice");
  await engine.spend("id", expires);
  await engine.keepDocument("digest", name);
  await engine.keepCosigned(await engine.checkpoint());
  await engine.feed.append({ jws: `${name}.b.c` });
  engine.seen([{ tool: name, kind: "wrapped", declared: true, at: 1 }]);
  await engine.coverage();
}
