import { draw } from "./draw.ts";
import { type Html, html } from "./escape.ts";
import { graphOf } from "./graph.ts";
import type { Model } from "./model.ts";
import { type Behest, behests } from "./steps.ts";
import { name } from "./values.ts";

/** Steps of one drawing: what is longer goes on in the next one. */
const PAGE = 60;
/** Drawings that are open from the beginning. */
const OPEN = 3;

/** Who acted at whose behest, a drawing for each principal and each so many steps. */
export function overview(model: Model): Html {
  let drawn = 0;
  return html`${behests(model).map((one) =>
    pages(one).map((steps) => {
      const [first, last] = [steps[0]!.first.index, steps.at(-1)!.first.index];
      const who = whoOf(one);
      const actions = steps.reduce((sum, { count }) => sum + count, 0);
      return html`<details${drawn++ < OPEN ? html` open` : undefined}><summary>${name(who)}: ${actions} actions from #${first}${last === first ? "" : html` on`}</summary><div class="wide" tabindex="0" role="region" aria-label="Graph from entry ${first} on">${draw(model, graphOf(model, steps), who)}</div></details>
`;
    }),
  )}`;
}

function pages({ steps }: Behest): Behest["steps"][] {
  const count = Math.ceil(steps.length / PAGE);
  return Array.from({ length: count }, (_, i) => steps.slice(i * PAGE, (i + 1) * PAGE));
}

function whoOf({ under }: Behest): string {
  if (!under) return "Nobody is shown to have delegated";
  if (under.state === "erased") return `pseudonym ${under.pseudonym.slice(0, 10)}…, erased`;
  return under.token
    ? under.token.principal.subject
    : `pseudonym ${under.pseudonym.slice(0, 10)}…, name not proven`;
}
