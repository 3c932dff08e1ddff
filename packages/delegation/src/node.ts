export { signerFromEnvironment, signerFromFile } from "./keys/stored-key.ts";
