import * as fc from "fast-check";
import { expect, test } from "vitest";
import { check } from "./check.ts";
import { baseWithin, commonBase, normalBase } from "./url.ts";

const urlWithin = (base: string, value: string): boolean => check({ constraint_type: "url", base }, value);

const BASE = "https://api.example.com/v1";

test("a base admits its own origin, at its path and below", () => {
  for (const url of [
    "https://api.example.com/v1",
    "https://api.example.com/v1/",
    "https://api.example.com/v1/users?q=a%20b&next=//evil.test/..#x",
    "HTTPS://API.Example.com:443/v1/a",
    "https://api.example.com/v1/@user/a%20b",
  ])
    expect([url, urlWithin(BASE, url)]).toEqual([url, true]);
  for (const url of [
    "https://api.example.com/v10",
    "https://api.example.com/",
    "https://api.example.com",
    "https://api.example.com/V1",
    "http://api.example.com/v1",
    "https://api.example.com:8443/v1",
    "https://example.com/v1",
    "https://api.example.com.evil.test/v1",
    "https://evil-api.example.com/v1",
  ])
    expect([url, urlWithin(BASE, url)]).toEqual([url, false]);
});

test("a base without a path admits the whole origin", () => {
  for (const url of ["https://h.test", "https://h.test/", "https://h.test/a", "https://h.test?q"])
    expect(urlWithin("https://h.test", url)).toBe(true);
});

test.each([
  ["user info", "https://api.example.com@evil.test/v1"],
  ["user info with password", "https://api.example.com:443@evil.test/v1"],
  ["user info before the right host", "https://evil.test@api.example.com/v1"],
  ["backslash after the host", "https://api.example.com\\@evil.test/v1"],
  ["backslashes for slashes", "https:\\\\api.example.com\\v1"],
  ["no slashes", "https:api.example.com/v1"],
  ["three slashes", "https:///api.example.com/v1"],
  ["protocol-relative", "//api.example.com/v1"],
  ["tab in the host", "https://api.exam\tple.com/v1"],
  ["newline in the path", "https://api.example.com/v1\n/x"],
  ["leading space", " https://api.example.com/v1"],
  ["trailing dot on the host", "https://api.example.com./v1"],
  ["full-width host", "https://ａpi.example.com/v1"],
  ["ideographic full stop", "https://api。example.com/v1"],
  ["encoded host", "https://api%2eexample.com/v1"],
  ["dot segments", "https://api.example.com/v1/../admin"],
  ["encoded dot segments", "https://api.example.com/v1/%2e%2E/admin"],
  ["half encoded dot segments", "https://api.example.com/v1/.%2e/admin"],
  ["encoded slash", "https://api.example.com/v1/..%2fadmin"],
  ["encoded backslash", "https://api.example.com/v1/..%5cadmin"],
  ["encoded twice", "https://api.example.com/v1/%252e%252e/admin"],
  ["path parameter", "https://api.example.com/v1/..;/admin"],
  ["empty segment", "https://api.example.com/v1//admin"],
  ["encoded NUL", "https://api.example.com/v1/a%00"],
  ["overlong UTF-8", "https://api.example.com/v1/%c0%ae%c0%ae/admin"],
  ["encoded full-width dots", "https://api.example.com/v1/%ef%bc%8e%ef%bc%8e/admin"],
  ["encoded direction override", "https://api.example.com/v1/%e2%80%aetxt"],
  ["dots and an encoded space", "https://api.example.com/v1/..%20/admin"],
  ["three dots", "https://api.example.com/v1/.../admin"],
  ["a path without end", `https://api.example.com/v1/${"a".repeat(4096)}`],
  ["bad escape", "https://api.example.com/v1/%zz"],
  ["port with a leading zero", "https://api.example.com:0443/v1"],
  ["port out of range", "https://api.example.com:65979/v1"],
  ["empty port", "https://api.example.com:/v1"],
  ["another scheme", "javascript://api.example.com/v1"],
  ["nested scheme", "blob:https://api.example.com/v1"],
])("never within the base: %s", (_, url) => {
  expect(urlWithin(BASE, url)).toBe(false);
});

test("a parser that looks for user info behind the host's end sees none", () => {
  for (const url of [
    "https://h.test?@evil.test/",
    "https://h.test#@evil.test/",
    "https://h.test?a#@evil.test",
  ])
    expect([url, urlWithin("https://h.test", url)]).toEqual([url, false]);
  expect(urlWithin("https://h.test", "https://h.test/?mail=a@b.test")).toBe(true);
});

test("no spelling of an IP address is a host", () => {
  for (const host of [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "[::1]",
    "1.2.3.0x4",
    "a.1",
  ])
    expect([host, normalBase(`http://${host}/`)]).toEqual([host, undefined]);
});

test("a base has one spelling", () => {
  expect(normalBase("HTTPS://API.Example.com:443/v1/")).toBe(BASE);
  expect(normalBase("http://h.test:8080")).toBe("http://h.test:8080");
  for (const base of [`${BASE}?a`, `${BASE}#a`, "https://", "ftp://h.test", "h.test", "https://h.test//"])
    expect(normalBase(base)).toBeUndefined();
});

const BELOW = "https://*.example.com/v1";

test("a star admits every subdomain of any depth, and neither the domain itself nor its neighbours", () => {
  for (const url of [
    "https://a.example.com/v1",
    "https://a.b.c.Example.com:443/v1/x?y",
    "https://xn--bcher-kva.example.com/v1/",
  ])
    expect([url, urlWithin(BELOW, url)]).toEqual([url, true]);
  for (const url of [
    "https://example.com/v1",
    "https://.example.com/v1",
    "https://evilexample.com/v1",
    "https://a.example.com.evil.test/v1",
    "https://a.example.com/v10",
    "https://a.example.com:8443/v1",
    "http://a.example.com/v1",
    "https://*.example.com/v1",
    "https://a@b.example.com/v1",
    "https://evil.test/.example.com/v1",
    "https://evil.test#.example.com/v1",
    "https://bücher.example.com/v1",
    "https://-.example.com/v1",
    "https://a_b.example.com/v1",
    "https://1.example.com./v1",
  ])
    expect([url, urlWithin(BELOW, url)]).toEqual([url, false]);
});

test("a star stands alone, at the start, before two labels", () => {
  expect(normalBase("HTTPS://*.Example.com:443/v1/")).toBe(BELOW);
  expect(normalBase("http://*.a.b.test:8080")).toBe("http://*.a.b.test:8080");
  for (const host of ["*", "*.com", "*.localhost", "*example.com", "a.*.example.com", "**.example.com"])
    expect([host, normalBase(`https://${host}/`)]).toEqual([host, undefined]);
  for (const host of ["*.*.example.com", "*.1.2.3.4", "*.10.1", "*..example.com", "%2a.example.com"])
    expect([host, normalBase(`https://${host}/`)]).toEqual([host, undefined]);
});

const base = fc
  .tuple(
    fc.constantFrom("https://", "http://"),
    fc.constantFrom("h.test", "a.h.test", "b.a.h.test", "*.h.test", "*.a.h.test", "*.b.a.h.test", "ah.test"),
    fc.constantFrom("", "", ":8443"),
    fc.constantFrom("", "", "/p", "/p/q", "/pq"),
  )
  .map((parts) => parts.join(""));
const url = fc
  .tuple(base, fc.constantFrom("", "/", "/p", "/p/q/r", "?x", "/q?x"))
  .map(([start, end]) => start.replace("*.", "x.") + end);

test("bases compare and combine as the URLs they admit", () => {
  const urls = fc.sample(url, { numRuns: 400, seed: 3 });
  fc.assert(
    fc.property(base, base, (one, other) => {
      const both = urls.filter((each) => urlWithin(one, each) && urlWithin(other, each));
      const common = commonBase(one, other);
      expect(urls.filter((each) => common !== undefined && urlWithin(common, each))).toEqual(both);
      expect(commonBase(other, one)).toBe(common);
      if (common !== undefined) {
        expect(normalBase(common)).toBe(common);
        expect([baseWithin(one, common), baseWithin(other, common)]).toEqual([true, true]);
      }
      expect(baseWithin(one, other)).toBe(common === other);
    }),
    { numRuns: 2000 },
  );
});
