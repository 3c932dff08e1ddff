/** Tests that stay out of the browser, and why. Everything else of the two packages runs there. */
export const NODE_ONLY: { readonly [file: string]: string } = {
  "packages/delegation/src/conformance.test.ts": "reads the vectors from the disk",
  "packages/delegation/src/portable.test.ts": "takes away what only Node has",
  "packages/delegation/src/privacy.test.ts": "prints errors with node:util",
};
