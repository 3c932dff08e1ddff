// The page of a report, in a real browser: what is shown is text, nothing runs, and nothing is asked for.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderReport, verifyEvidence } from "@behest/evidence";
import { type Browser, chromium } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HOSTILE, forged, hostileLog } from "../../packages/evidence/test/hostile.ts";
import { Office } from "../../packages/evidence/test/office.ts";
import { CHROMIUM, CHROMIUM_ARGS, CHROMIUM_LIMIT } from "../browser/chromium.ts";
import { Shown } from "./shown.ts";

if (!CHROMIUM) {
  console.log("skipped: reports in Chromium (none is installed; CHROMIUM names another path)");
  if (process.env["CI"]) throw new Error("there is no Chromium");
}

describe.skipIf(!CHROMIUM)("in Chromium", () => {
  const dir = mkdtempSync(join(tmpdir(), "behest-page-"));
  const path = join(dir, "report.html");
  let browser: Browser;
  let ordinary: string;
  /** What a process recorded that takes any name. */
  let recorded: string;
  const pages = new Map<string, string>();

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: CHROMIUM!,
      args: [...CHROMIUM_ARGS],
      timeout: CHROMIUM_LIMIT,
    });
    await using office = await Office.open();
    const { owner } = office.behest;
    const bundle = await office.reader.evidence();
    ordinary = renderReport(bundle, await verifyEvidence(bundle, { owner }), { owner });
    const hostile = await hostileLog();
    recorded = renderReport(hostile.bundle, hostile.report, hostile);
    pages.set("ordinary", ordinary).set("recorded", recorded);
    for (const turn of [0, 3, 7]) {
      const words = [...HOSTILE.slice(turn), ...HOSTILE.slice(0, turn)];
      const { bundle: written, report, claimed } = await forged(hostile, words);
      pages.set(`forged ${turn}`, renderReport(written, report, hostile));
      pages.set(`claimed ${turn}`, renderReport(written, claimed, { owner: words[0]! }));
    }
  });
  afterAll(async () => {
    await browser.close();
    rmSync(dir, { recursive: true });
  });

  test("no name, argument, prompt or result of a bundle runs, loads or changes anything", async () => {
    for (const [name, html] of pages) {
      await using shown = await Shown.open(browser, html, { path, width: 360 });
      const [kinds, ids, links] = [await shown.kinds(), await shown.ids(), await shown.links()];
      const targets = new Set(ids.map((id) => `#${id}`));
      expect({
        name,
        requests: shown.requests,
        ran: await shown.ask("Object.hasOwn(window, 'ran')"),
        foreign: kinds.filter((kind) => !KINDS.has(kind)),
        doubled: ids.length - targets.size,
        lost: links.filter((link) => !targets.has(link)),
        // What is wider than a small screen scrolls by itself.
        wide: (await shown.ask<number>("document.documentElement.scrollWidth")) > 360,
      }).toEqual({ name, requests: [], ran: false, foreign: [], doubled: 0, lost: [], wide: false });
    }
  });

  test("what is hostile is shown, letter by letter", async () => {
    await using shown = await Shown.open(browser, recorded, { path });
    const text = await shown.ask<string>("document.body.textContent");
    const plain = HOSTILE.filter((word) => !/\p{C}|\p{M}{2}/u.test(word));
    expect(plain.length).toBeGreaterThan(8);
    for (const word of plain) expect(text).toContain(word);
    expect(text).toContain("ecila\\u{202e}gnp.exe\\u{2066} \\u{200b}\\u{ad}\\u{2800}\\u{3164} \\u{e0041}");
    // Nothing that hides or reorders is left in any source.
    for (const html of pages.values())
      expect(html).not.toMatch(/[^\P{C}\n]|[\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|\p{M}{4}/u);
  });

  test("its own policy keeps scripts, images and other styles out, and lets its style in", async () => {
    await using shown = await Shown.open(browser, recorded, { path });
    const [ran, display, against] = await shown.ask<[boolean, string, string[]]>(`(async () => {
      const against = [];
      document.addEventListener("securitypolicyviolation", (event) => against.push(event.effectiveDirective));
      const script = document.createElement("script");
      script.textContent = "window.ran = 1";
      const style = document.createElement("style");
      style.textContent = "body { display: none }";
      const image = document.createElement("img");
      image.src = "https://evil.example/a.png";
      document.body.append(script, style, image);
      while (against.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
      return [Object.hasOwn(window, "ran"), getComputedStyle(document.body).display, against.sort()];
    })()`);
    expect([ran, display]).toEqual([false, "block"]);
    expect(against).toEqual(["img-src", "script-src-elem", "style-src-elem"]);
    expect(await shown.ask("getComputedStyle(document.querySelector('.badge.proven')).borderTopStyle")).toBe(
      "solid",
    );
  });

  test("printed, everything is there that is folded on the screen", async () => {
    await using shown = await Shown.open(browser, ordinary, { path });
    await shown.ask("for (const one of document.querySelectorAll('details')) one.open = false");
    const hidden = (): Promise<number> =>
      shown.ask("[...document.querySelectorAll('pre, svg')].filter((one) => !one.checkVisibility()).length");
    expect(await hidden()).toBeGreaterThan(0);
    await shown.page.emulateMedia({ media: "print" });
    expect(await hidden()).toBe(0);
  });
});

/** All that the page is made of: elements, each with the names of its attributes. */
const KINDS: ReadonlySet<string> = new Set([
  "A href",
  "ARTICLE class id",
  "BDI",
  "BODY",
  "CAPTION",
  "CODE",
  "DD",
  "DETAILS class open",
  "DETAILS open",
  "DIV",
  "DIV aria-label class role tabindex",
  "DIV class",
  "DL",
  "DT",
  "H1",
  "H2 id",
  "H3",
  "H4",
  "HEAD",
  "HEADER",
  "HTML lang",
  "LI",
  "MAIN",
  "META charset",
  "META content http-equiv",
  "META content name",
  "NAV aria-label",
  "OL",
  "P",
  "P class",
  "PRE",
  "Q",
  "SECTION aria-labelledby",
  "SPAN",
  "SPAN class",
  "STRONG",
  "STYLE",
  "SUMMARY",
  "SUMMARY title",
  "TABLE",
  "TBODY",
  "TD",
  "TD data-of",
  "TH scope",
  "THEAD",
  "TIME",
  "TITLE",
  "TR",
  "TR id",
  "UL",
  "a href",
  "circle class cx cy r",
  "path class d",
  "rect class height width x y",
  "svg aria-label height role viewBox width xmlns",
  "text x y",
]);
