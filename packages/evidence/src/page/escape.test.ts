import fc from "fast-check";
import { expect, test } from "vitest";
import { cut, html, visible } from "./escape.ts";

const anything = fc.string({ unit: "binary", maxLength: 50 });

/** What a parser makes of text in an element or in a quoted attribute. */
function read(markup: string): string {
  const signs: { readonly [entity: string]: string } = { lt: "<", gt: ">", quot: '"', "#39": "'", amp: "&" };
  return markup.replace(/&(lt|gt|quot|#39|amp);/g, (_, entity: string) => signs[entity]!);
}

test("any value is text: it reads back, and holds nothing that ends an element or an attribute", () => {
  fc.assert(
    fc.property(anything, (text) => {
      const { text: markup } = html`${text}`;
      expect(markup).not.toMatch(/[<>"']|&(?!(?:lt|gt|quot|#39|amp);)/);
      expect(read(markup)).toBe(visible(text));
    }),
  );
});

test("what would not be seen, or elsewhere, is written out; all else stays as it is", () => {
  fc.assert(
    fc.property(anything, (text) => {
      expect(visible(text)).not.toMatch(/[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/u);
      expect(visible(text).isWellFormed()).toBe(true);
    }),
  );
  expect(visible("a\u202eb\r\ud800")).toBe("a\\u{202e}b\\u{d}\\u{d800}");
  expect(visible("naïve ναι да 文字\n\tשלום")).toBe("naïve ναι да 文字\n\tשלום");
  expect(visible(`e${"\u0301".repeat(5)}`)).toBe("e\u0301\u0301\u0301\\u{301}\\u{301}");
});

test("markup is what html made, and a lookalike is text", () => {
  expect(html`<p>${html`<b>${"<i>"}</b>`}${[1, undefined, "x"]}</p>`.text).toBe("<p><b>&lt;i&gt;</b>1x</p>");
  const lookalike = JSON.parse(`{"text":"<script>"}`) as never;
  expect(() => html`${lookalike}`.text.includes("<script>")).toThrow();
});

test("what is cut says how much is left out", () => {
  expect(cut("abcdef", 4)).toBe("abcd… (2 more characters)");
  expect(cut("abcd", 4)).toBe("abcd");
});
