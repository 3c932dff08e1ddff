/** Markup that is safe to stand in the page: made by {@link html} alone. */
class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Html = Markup;
export type Content = Markup | string | number | undefined | readonly Content[];

/** What is written here is markup; every value that is put in is text, in elements and in quoted attributes alike. */
export function html(markup: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Markup(String.raw({ raw: markup }, ...values.map(textOf)));
}

function textOf(value: Content): string {
  if (value === undefined) return "";
  if (value instanceof Markup) return value.text;
  if (typeof value === "object") return value.map(textOf).join("");
  return escape(visible(String(value)));
}

/** Inside of a `style` element nothing is escaped: for a text of our own only. */
export function styleElement(css: string): Html {
  return new Markup(`<style>${css}</style>`);
}

const ENTITIES: { readonly [sign: string]: string } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ENTITIES[sign]!);
}

// Control and format characters, what is drawn as nothing, and halves of a pair hide, reorder or end what is shown.
const UNSEEN = /[^\P{C}\n\t]|[\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu;
/** Marks on one letter from there on: stacked, they cover other lines. */
const STACKED = /(?<=\p{M}{3})\p{M}/gu;

/** With what readers would not see, or see elsewhere, written out: `\u{202e}`. */
export function visible(text: string): string {
  return text.replace(UNSEEN, codeOf).replace(STACKED, codeOf);
}

function codeOf(sign: string): string {
  return `\\u{${sign.codePointAt(0)!.toString(16)}}`;
}

/** At most so many characters, and how many are left out. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most)}… (${text.length - most} more characters)`;
}
