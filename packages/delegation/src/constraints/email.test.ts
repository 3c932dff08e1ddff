import { expect, test } from "vitest";
import { check } from "./check.ts";
import type { Email } from "./constraint.ts";
import { isEmailRule } from "./email.ts";

const matchesEmail = (rule: Email, value: string): boolean => check(rule, value);

const domain = { constraint_type: "email", domain: "example.com" } as const;
const address = { constraint_type: "email", address: "Bob.o'Neil+x@example.com" } as const;

test("a domain admits its own addresses in any case of the domain, nothing below or beside it", () => {
  for (const good of ["bob@example.com", "Bob@EXAMPLE.com", "a.b-c_d+e='f~g#h&i@example.com"])
    expect([good, matchesEmail(domain, good)]).toEqual([good, true]);
  for (const bad of [
    "bob@sub.example.com",
    "bob@example.com.evil.test",
    "bob@evilexample.com",
    "bob@example.co",
  ])
    expect([bad, matchesEmail(domain, bad)]).toEqual([bad, false]);
});

test("only ASCII letters fold: the Kelvin sign is no k", () => {
  const rule = { constraint_type: "email", domain: "kite.test" } as const;
  expect(matchesEmail(rule, "bob@KITE.test")).toBe(true);
  expect(matchesEmail(rule, "bob@\u212Aite.test")).toBe(false);
});

test("an address admits itself: the local part as written, the domain in any case", () => {
  expect(matchesEmail(address, "Bob.o'Neil+x@Example.COM")).toBe(true);
  expect(matchesEmail(address, "bob.o'neil+x@example.com")).toBe(false);
});

test("a tagged address is another address", () => {
  const rule = { constraint_type: "email", address: "bob@example.com" } as const;
  expect(matchesEmail(rule, "bob+tag@example.com")).toBe(false);
  expect(matchesEmail(domain, "bob+tag@example.com")).toBe(true);
});

test.each([
  ["two addresses, comma", "a@evil.test,b@example.com"],
  ["two addresses, semicolon", "a@evil.test;b@example.com"],
  ["two addresses, space", "a@evil.test b@example.com"],
  ["two at signs", "a@evil.test@example.com"],
  ["display name", "Bob <bob@example.com>"],
  ["angle brackets hiding another", "<a@evil.test>b@example.com"],
  ["quoted local part", '"a@evil.test,"@example.com'],
  ["comment", "bob(a@evil.test)@example.com"],
  ["percent hack", "a%evil.test@example.com"],
  ["bang path", "evil.test!a@example.com"],
  ["source route", "@evil.test:bob@example.com"],
  ["header injection", "bob@example.com\r\nBcc: a@evil.test"],
  ["trailing newline", "bob@example.com\n"],
  ["leading space", " bob@example.com"],
  ["NUL", "bob\u0000@example.com"],
  ["command line option", "-oQ/tmp@example.com"],
  ["pipe", "|sh@example.com"],
  ["trailing dot", "bob@example.com."],
  ["leading dot in the local part", ".bob@example.com"],
  ["two dots in the local part", "a..b@example.com"],
  ["full-width domain", "bob@ｅxample.com"],
  ["ideographic full stop", "bob@example。com"],
  ["soft hyphen", "bob@exam\u00adple.com"],
  ["non-ASCII local part", "bøb@example.com"],
  ["encoded word", "=?utf-8?q?a=40evil.test=3e?=x@example.com"],
  ["a domain without a local part after a tag", "+tag@example.com"],
  ["encoded at sign", "a%40evil.test@example.com"],
  ["backslash", "a\\@evil.test@example.com"],
  ["Cyrillic letter in the domain", "bob@ex\u0430mple.com"],
  ["dotless i", "bob@example.c\u0131m"],
  ["vertical tab", "bob\u000b@example.com"],
  ["line separator", "bob@example.com\u2028"],
  ["mailto", "mailto:bob@example.com"],
  ["mailto parameters", "bob@example.com?bcc=a@evil.test"],
  ["address literal", "bob@[127.0.0.1]"],
  ["no local part", "@example.com"],
  ["no domain", "bob@"],
  ["local part of 65", `${"a".repeat(65)}@example.com`],
])("never matches: %s", (_, text) => {
  expect(matchesEmail(domain, text)).toBe(false);
});

test("a rule has one spelling, and one of its two members", () => {
  expect([domain, address].every(isEmailRule)).toBe(true);
  for (const rule of [
    {},
    { domain: "Example.com" },
    { domain: "@example.com" },
    { domain: "-a.com" },
    { domain: "example.com." },
    { domain: "*.example.com" },
    { domain: "" },
    { domain: 1 },
    { address: "bob@EXAMPLE.com" },
    { address: "example.com" },
    { address: "bob@example.com", domain: "example.com" },
  ])
    expect([rule, isEmailRule(rule)]).toEqual([rule, false]);
});
