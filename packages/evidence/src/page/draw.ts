import { type Html, html, visible } from "./escape.ts";
import type { Graph, Lane, Node, Row } from "./graph.ts";
import type { Model } from "./model.ts";
import { OUTCOMES, VERDICTS, hasFailed, marksOf } from "./words.ts";

/** Pixels: height of a row, width of a lane, room for a character. */
const ROW = 26;
const LANE = 18;
const LETTER = 8.2;
/** Characters of a name in a row. */
const NAME = 40;
/** Lanes have one of so many colours. */
const COLOURS = 6;

/** `who`: the principal's name. */
export function draw(model: Model, { rows, lanes, width }: Graph, who: string): Html {
  const labels = rows.map(({ node }) => labelOf(model, node, who));
  const longest = Math.max(...labels.map(({ length }) => length));
  const left = width * LANE + 8;
  const [w, h] = [Math.ceil(left + longest * LETTER), rows.length * ROW];
  return html`<svg
    xmlns="http://www.w3.org/2000/svg"
    width="${w}"
    height="${h}"
    viewBox="0 0 ${w} ${h}"
    role="group"
    aria-label="Graph: ${who}"
  >
    ${lanes.map(line)}${rows.map((row, i) => rowOf(row, i, left, labels[i]!))}
  </svg>`;
}

function x(lane: number): number {
  return lane * LANE + LANE / 2;
}

function y(row: number): number {
  return row * ROW + ROW / 2;
}

function line({ kind, lane, from, to, out, into }: Lane): Html {
  const down = out && out.row === from ? from + 1 : from;
  const own = to > down ? `M${x(lane)} ${y(down)}V${y(to)}` : "";
  // A child leaves its parent in the row above its own; an approval leaves the ask itself.
  const start = !out
    ? ""
    : kind === "approval"
      ? bend(out, { row: down, lane })
      : bend({ row: from - 1, lane: out.lane }, { row: from, lane });
  const ends = into.map((end) => bend({ row: end.row - 1, lane }, end)).join("");
  return html`<path class="${kind} l${lane % COLOURS}" d="${own}${start}${ends}" />`;
}

function bend(from: { row: number; lane: number }, to: { row: number; lane: number }): string {
  const middle = (y(from.row) + y(to.row)) / 2;
  return `M${x(from.lane)} ${y(from.row)}C${x(from.lane)} ${middle} ${x(to.lane)} ${middle} ${x(to.lane)} ${y(to.row)}`;
}

function rowOf({ node, lane }: Row, row: number, left: number, label: string): Html {
  const text = html`<text x="${left}" y="${y(row) + 5}">${label}</text>`;
  const shape = shapeOf(node, x(lane), y(row), `l${lane % COLOURS}`);
  return node.kind === "principal"
    ? html`${shape}${text}`
    : html`<a href="#${node.kind === "action" ? node.of.first.index : node.of.index}">${shape}${text}</a>`;
}

function shapeOf(node: Node, cx: number, cy: number, lane: string): Html {
  switch (node.kind) {
    case "principal":
      return html`<circle class="person ${lane}" cx="${cx}" cy="${cy}" r="8" />`;
    case "delegation":
      return html`<path
        class="node ${lane}"
        d="M${cx} ${cy - 7}L${cx + 7} ${cy}L${cx} ${cy + 7}L${cx - 7} ${cy}Z"
      />`;
    case "approval":
      return html`<rect class="node ${lane}" x="${cx - 6}" y="${cy - 6}" width="12" height="12" />`;
    default: {
      const { first } = node.of;
      const kind = hasFailed(first) ? "bad" : first.verdict;
      return html`<circle class="${kind} ${lane}" cx="${cx}" cy="${cy}" r="5" />`;
    }
  }
}

function labelOf(model: Model, node: Node, who: string): string {
  switch (node.kind) {
    case "principal":
      return short(who);
    case "delegation": {
      const { index, state } = node.of;
      const agent = model.agent(node.of);
      const to = agent === undefined ? "an agent" : short(agent);
      return `#${index} delegated to ${to}${state === "proven" ? "" : `, ${state === "failed" ? "FAILED" : "not shown"}`}`;
    }
    case "approval": {
      const { index, signed, state } = node.of;
      const by = signed
        ? `${signed.decision === "approve" ? "approved" : "denied"} by ${short(signed.person)} (${short(signed.group)})`
        : "approval by nobody who is known";
      return `#${index} ${by}${state === "proven" ? "" : ", FAILED"}`;
    }
    default: {
      const { first, count } = node.of;
      const { index, tool, verdict, result } = first;
      const agent = model.agentOf(first);
      const reason = model.reason(first);
      const words = [
        `#${index} ${agent === undefined ? "" : `${short(agent)}: `}${short(tool)}${count > 1 ? ` × ${count}` : ""}`,
        reason === undefined ? VERDICTS[verdict] : `${VERDICTS[verdict]} (${short(reason)})`,
        ...(result ? [OUTCOMES[result].split(":")[0]!] : []),
        ...(hasFailed(first) ? ["FAILED"] : []),
        ...marksOf(first),
      ];
      return words.join(" · ");
    }
  }
}

function short(text: string): string {
  return text.length > NAME ? `${visible(text.slice(0, NAME))}…` : visible(text);
}
