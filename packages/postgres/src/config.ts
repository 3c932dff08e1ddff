import { BehestError } from "@behest/core";
import { Client, type ClientConfig } from "pg";

/** ms. What a client leaves behind that went away, or was suspended, in the middle of something ends by itself. */
const LEFT_BEHIND = 5_000;

/** How a connection to the database at `url` is made. Throws `config_invalid`. */
export function configOf(url: string): ClientConfig {
  const config: ClientConfig = {
    connectionString: url,
    application_name: "behest",
    keepAlive: true,
    statement_timeout: LEFT_BEHIND,
    lock_timeout: LEFT_BEHIND,
    idle_in_transaction_session_timeout: LEFT_BEHIND,
  };
  try {
    // The client would take any other text for the name of a host.
    if (!/^(?:postgres(?:ql)?|socket):/.test(url)) throw new TypeError();
    void new Client(config);
  } catch {
    // Without a cause: it may quote the URL.
    throw new BehestError(
      "config_invalid",
      "config_invalid: this is no URL of a PostgreSQL database (postgres://user@host/database), or names a certificate that cannot be read.",
    );
  }
  return config;
}
