import { type Rule, any, exact, oneOf, rule, wildcard } from "./rule.ts";
import { checks, forms, strings, subsumptions } from "./rules.ts";
import type { Vector } from "./vector.ts";

const prefix = (text: string): Rule => rule("prefix", { prefix: text });
const domain = (name: string): Rule => rule("email", { domain: name });
const address = (text: string): Rule => rule("email", { address: text });

const NEVER = strings(
  ["two addresses, comma", "a@evil.test,b@example.com"],
  ["two addresses, semicolon", "a@evil.test;b@example.com"],
  ["two addresses, space", "a@evil.test b@example.com"],
  ["two at signs", "a@evil.test@example.com"],
  ["display name", "Bob <bob@example.com>"],
  ["angle brackets hiding another", "<a@evil.test>b@example.com"],
  ["quoted local part", '"a@evil.test,"@example.com'],
  ["comment", "bob(a@evil.test)@example.com"],
  ["percent route", "a%evil.test@example.com"],
  ["bang path", "evil.test!a@example.com"],
  ["source route", "@evil.test:bob@example.com"],
  ["header injection", "bob@example.com\r\nBcc: a@evil.test"],
  ["line break after", "bob@example.com\n"],
  ["space before", " bob@example.com"],
  ["NUL", "bob\u0000@example.com"],
  ["begins with a hyphen", "-oQ/tmp@example.com"],
  ["begins with a plus", "+tag@example.com"],
  ["trailing dot", "bob@example.com."],
  ["dot first", ".bob@example.com"],
  ["dot last", "bob.@example.com"],
  ["two dots", "a..b@example.com"],
  ["full-width letter", "bob@\uff45xample.com"],
  ["ideographic full stop", "bob@example\u3002com"],
  ["soft hyphen", "bob@exam\u00adple.com"],
  ["local part outside ASCII", "b\u00f8b@example.com"],
  ["Cyrillic letter", "bob@ex\u0430mple.com"],
  ["mailto", "mailto:bob@example.com"],
  ["mailto parameters", "bob@example.com?bcc=a@evil.test"],
  ["address literal", "bob@[127.0.0.1]"],
  ["no local part", "@example.com"],
  ["no domain", "bob@"],
  ["no at sign", "example.com"],
  ["local part of 65", `${"a".repeat(65)}@example.com`],
);

/** email: docs/spec/constraint-types.md. */
export function emailRules(): readonly Vector[] {
  const long = `${"a".repeat(63)}.`.repeat(4).slice(0, 253);
  return [
    checks("405-email-domain", "email: every address of a domain", [
      {
        rule: domain("example.com"),
        passes: strings(
          "bob@example.com",
          "Bob+x@EXAMPLE.Com",
          "a.b-c_d+e='f~g#h&i@example.com",
          "_@example.com",
          "1@example.com",
          ["local part of 64", `${"a".repeat(64)}@example.com`],
        ),
        fails: [
          ...strings(
            "bob@sub.example.com",
            "bob@example.com.evil.test",
            "bob@evilexample.com",
            "bob@example.co",
            "bob@example.comm",
          ),
          ...NEVER,
          "1",
          '["bob@example.com"]',
        ],
      },
      {
        rule: domain("kite.test"),
        passes: strings("b@KITE.test"),
        fails: strings(["Kelvin sign", "b@\u212aite.test"]),
      },
    ]),
    checks("406-email-address", "email: one address", [
      {
        rule: address("Bob.o'Neil+x@example.com"),
        passes: strings("Bob.o'Neil+x@example.com", "Bob.o'Neil+x@Example.COM"),
        fails: strings(
          "bob.o'neil+x@example.com",
          "Bob.o'Neil@example.com",
          "Bob.o'Neil+x@example.com ",
          "<Bob.o'Neil+x@example.com>",
          "x@example.com",
        ),
      },
    ]),
    forms(
      "407-email-form",
      "email: one of two members, in normal form",
      [
        domain("example.com"),
        domain("a"),
        domain("1.2"),
        domain("xn--bcher-kva.test"),
        domain(long),
        address("Bob@example.com"),
      ],
      [
        rule("email"),
        { ...domain("example.com"), address: "bob@example.com" },
        domain("Example.com"),
        domain("@example.com"),
        domain("*.example.com"),
        domain("example.com."),
        domain("-a.com"),
        domain("a-.com"),
        domain("a_b.com"),
        domain("a..b"),
        domain(""),
        domain("b\u00fccher.test"),
        domain(`${"a".repeat(64)}.test`),
        domain(`${long}a`),
        rule("email", { domain: 1 }),
        address("bob@EXAMPLE.com"),
        address("example.com"),
        address("a@b@example.com"),
        address("Bob <bob@example.com>"),
        address(""),
        rule("email", { address: null }),
        { ...domain("example.com"), prefix: "bob" },
      ],
    ),
    subsumptions("408-email-narrower", "email: the same domain, or an address of it", [
      {
        parent: domain("a.test"),
        takes: [domain("a.test"), address("x@a.test"), exact("x@A.test"), oneOf("x@a.test", "y@a.test")],
        not: [
          domain("b.a.test"),
          domain("test"),
          address("x@b.test"),
          exact("a.test"),
          exact("<x@a.test>"),
          oneOf("x@a.test", "x@b.test"),
          prefix("x@a.test"),
          any(domain("a.test")),
          wildcard,
        ],
      },
      {
        parent: address("x@a.test"),
        takes: [address("x@a.test"), exact("x@a.test"), exact("x@A.TEST"), oneOf("x@a.test")],
        not: [domain("a.test"), address("y@a.test"), address("X@a.test"), exact("X@a.test")],
      },
    ]),
  ];
}
