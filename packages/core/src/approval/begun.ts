import type { Manifest } from "@behest/provenance";
import type { Deployment } from "../deployment.ts";
import { lengthOf } from "../store/head.ts";

/** The manifest without approvers whose roles begin further on in the log: what they sign would not hold where it is recorded now. */
export async function begunIn({
  engine,
  manifest,
}: Pick<Deployment, "engine" | "manifest">): Promise<Manifest> {
  const index = await lengthOf(engine);
  return { ...manifest, approvers: manifest.approvers.filter(({ from = 0 }) => from <= index) };
}
