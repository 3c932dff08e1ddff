import type { Store } from "@behest/core";
import { parseEntry, parsePayload } from "@behest/provenance";
import { type Engine, engine } from "../../packages/core/src/store/types.ts";
import { saidIn } from "./decision.ts";

/** What is wrong with a process, or with its store, on purpose. */
export type Flaw =
  | "acts first"
  | "forgets its run"
  | "asks one person"
  /** A decision is acknowledged before it is on the disk. */
  | "acknowledges early"
  /** Denials are not heard. */
  | "hears no denial"
  /** An outcome is acknowledged before it is on the disk. */
  | "finishes early"
  /** On PostgreSQL: what is committed is acknowledged before it is on the disk. */
  | "does not wait";

/** The store, with what is wrong with it. */
export function flawed(store: Store, flaw: Flaw | undefined): Store {
  const real = store[engine];
  const bent = flaw && FLAWS[flaw]?.(real);
  if (!bent) return store;
  const whole = new Proxy(real, {
    get(_, name: keyof Engine) {
      const member: unknown = bent[name] ?? real[name];
      return typeof member === "function" ? (member.bind(real) as unknown) : member;
    },
  });
  return { [engine]: whole, close: () => store.close() };
}

const FLAWS: { readonly [flaw in Flaw]?: (real: Engine) => Partial<Engine> } = {
  "acknowledges early": (real) => ({
    append(request) {
      if (request.decides === undefined) return real.append(request);
      setTimeout(() => void real.append(request).catch(() => {}), 20);
      return Promise.resolve({ index: 0, hash: "", head: "" });
    },
  }),
  "finishes early": (real) => ({
    finish(request) {
      setTimeout(() => void real.finish(request).catch(() => {}), 300);
      return Promise.resolve({ finished: "ended", placed: { index: 0, hash: "", head: "" } });
    },
  }),
  "hears no denial": (real) => ({
    // What it rests on is said to be what it was judged on.
    async begin({ rests: _, ...request }) {
      const row = await real.approval(request.action);
      return real.begin({
        ...request,
        ...(row && { rests: [{ id: row.id, decisions: row.decisions.length }] }),
      });
    },
    async approval(action) {
      const row = await real.approval(action);
      if (!row) return undefined;
      const heard = await Promise.all(
        row.decisions.map(async ({ index }) => {
          const [entry] = await real.entries(index, 1);
          const payload = parsePayload(parseEntry(entry!).payload);
          return payload.type === "approval" && saidIn(payload.decision).decision === "approve";
        }),
      );
      return { ...row, decisions: row.decisions.filter((__, n) => heard[n]) };
    },
  }),
};
