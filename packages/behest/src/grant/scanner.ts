import { type Json, parseJson } from "@behest/jws";
import { CliError } from "../error.ts";

/** Walks over one `--tool`. Knows its place; never repeats the text in an error, which may hold anything. */
export class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** 1 for the first character. */
  get column(): number {
    return this.#at + 1;
  }

  get done(): boolean {
    return this.#at === this.#text.length;
  }

  peek(char: string): boolean {
    return this.#text.startsWith(char, this.#at);
  }

  eat(char: string): boolean {
    if (!this.peek(char)) return false;
    this.#at += char.length;
    return true;
  }

  expect(char: string, where: string): void {
    if (!this.eat(char)) this.fail(`expected ${char} ${where}`);
  }

  spaces(): void {
    while (this.eat(" "));
  }

  /** The longest run of these characters; may be empty. `chars`: a sticky expression. */
  run(chars: RegExp): string {
    chars.lastIndex = this.#at;
    const found = chars.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  /** A JSON string or object; the scanner stands on its first character. */
  json(): Json {
    const start = this.#at;
    const end = this.#endOfJson();
    try {
      const value = parseJson(this.#text.slice(start, end));
      this.#at = end;
      return value;
    } catch {
      return this.fail("expected well-formed JSON");
    }
  }

  fail(what: string, column: number = this.column): never {
    throw new CliError("malformed_tool", `column ${column}: ${what}`);
  }

  /** After the quote or brace that closes what is opened here; the end of the text when nothing does. */
  #endOfJson(): number {
    let open = 0;
    let quoted = false;
    for (let i = this.#at; i < this.#text.length; i++) {
      const char = this.#text[i];
      if (quoted && char === "\\") i++;
      else if (char === '"') quoted = !quoted;
      else if (!quoted && char === "{") open++;
      else if (!quoted && char === "}") open--;
      if (!quoted && open === 0) return i + 1;
    }
    return this.#text.length;
  }
}
