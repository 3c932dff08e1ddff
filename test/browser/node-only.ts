/** Tests that stay out of the browser, and why. Everything else of the two packages runs there. */
export const NODE_ONLY: { readonly [file: string]: string } = {
  "packages/delegation/src/actor-token.test.ts": "reads tokens with Buffer, as an authorization server does",
  "packages/delegation/src/conformance.test.ts": "reads the vectors from the disk",
  "packages/delegation/src/constraints/path.test.ts": "compares with what node:path makes of a path",
  "packages/delegation/src/keys/header-keys.test.ts": "serves certificates and key sets itself",
  "packages/delegation/src/keys/hostile-key-set.test.ts": "serves key sets itself",
  "packages/delegation/src/keys/rotation.test.ts": "serves key sets itself",
  "packages/delegation/src/keys/signer.test.ts": "prints signers with node:util",
  "packages/delegation/src/keys/stored-key.test.ts": "key files and environment variables",
  "packages/delegation/src/keys/tenants.test.ts": "serves key sets itself",
  "packages/delegation/src/oauth.test.ts": "reads tokens with Buffer, jose as a server uses it",
  "packages/delegation/src/portable.test.ts": "takes away what only Node has",
  "packages/delegation/src/privacy.test.ts": "prints errors with node:util",
  "packages/delegation/src/readme.test.ts": "reads the README and key files",
  "packages/delegation/src/status/online.test.ts": "serves status lists itself",
  "packages/delegation/src/status/readme.test.ts": "reads the README",
  "packages/delegation/src/vectors.test.ts": "reads the vectors from the disk",
};
