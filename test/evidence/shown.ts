import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright";
import { CHROMIUM_LIMIT } from "../browser/chromium.ts";

/** A page as a reader opens it from a file, with everything unfolded, and all that it asked for. */
export class Shown implements AsyncDisposable {
  readonly page: Page;
  /** Beside itself. */
  readonly requests: readonly string[];

  private constructor(page: Page, requests: readonly string[]) {
    this.page = page;
    this.requests = requests;
  }

  static async open(
    browser: Browser,
    html: string,
    { path, width = 1000 }: { readonly path: string; readonly width?: number },
  ): Promise<Shown> {
    writeFileSync(path, html);
    const { href } = pathToFileURL(path);
    const context = await browser.newContext({ viewport: { width, height: 800 } });
    context.setDefaultTimeout(CHROMIUM_LIMIT);
    const page = await context.newPage();
    const requests: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    page.on("dialog", (dialog) => requests.push(`dialog ${dialog.message()}`));
    await page.goto(href, { waitUntil: "load" });
    const shown = new Shown(page, requests);
    await shown.ask("for (const one of document.querySelectorAll('details')) one.open = true");
    requests.splice(requests.indexOf(href), 1);
    return shown;
  }

  /** What JavaScript in the page comes to; the page itself may run none. */
  async ask<T>(expression: string): Promise<T> {
    return (await this.page.evaluate(expression)) as T;
  }

  /** Kinds of elements with the names of their attributes. */
  kinds(): Promise<string[]> {
    return this.ask(
      "[...new Set([...document.querySelectorAll('*')].map((one) => [one.tagName, ...one.getAttributeNames().sort()].join(' ')))].sort()",
    );
  }

  /** Where links lead to. */
  links(): Promise<string[]> {
    return this.ask("[...document.querySelectorAll('[href]')].map((one) => one.getAttribute('href'))");
  }

  ids(): Promise<string[]> {
    return this.ask("[...document.querySelectorAll('[id]')].map((one) => one.id)");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
  }
}
