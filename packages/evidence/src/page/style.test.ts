import { expect, test } from "vitest";
import { STYLE } from "./style.ts";

/** Relative luminance (WCAG 2.2). */
function luminance(hex: string): number {
  const full = hex.length === 4 ? hex.replace(/[0-9a-f]/g, "$&$&") : hex;
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(full.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].toSorted((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

test("every colour of text and lines can be told from its ground, light and dark (WCAG 2.2, 1.4.3 and 1.4.11)", () => {
  const [light, dark] = [...STYLE.matchAll(/:root\{([^}]*--l0[^}]*)\}/g)].map(([, rules]) =>
    Object.fromEntries(
      [...rules!.matchAll(/--(\w+):(#[0-9a-f]{3,6})/g)].map(([, name, colour]) => [name!, colour!]),
    ),
  );
  expect([light, dark]).not.toContain(undefined);
  for (const { paper, soft, line: _, ...text } of [light!, dark!])
    for (const ground of [paper!, soft!])
      expect(Object.entries(text).filter(([, colour]) => contrast(colour, ground) < 4.5)).toEqual([]);
});

test("what is one style for its hash is one style for the page: nothing in it ends it or loads anything", () => {
  expect(STYLE).not.toMatch(/[<>&\\]|url\(|@import|@font-face/);
});
