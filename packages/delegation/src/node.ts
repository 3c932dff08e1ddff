export { signerFromEnvironment, signerFromFile } from "./stored-key.ts";
