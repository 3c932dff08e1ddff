import { addressOf } from "../address.ts";
import { BehestError } from "../error.ts";
import type { Alert } from "./alert.ts";
import { Refused, type Send } from "./delivery.ts";

/** Posts an alert as JSON. Follows no redirect, reads no answer. Throws `config_invalid` where the URL is none. */
export function webhook(url: string): Send {
  const address = addressOf(url);
  if (!address)
    throw new BehestError(
      "config_invalid",
      "config_invalid: alerts.url is an https URL, or http on this machine, without a user or a fragment.",
    );
  return async (alert: Alert, signal) => {
    const { status, body } = await fetch(address.href, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(alert),
      redirect: "manual",
      signal,
    });
    await body?.cancel().catch(() => {});
    if (status >= 200 && status < 300) return;
    const why = `it was answered with ${status}`;
    // What will not change by itself is not tried again.
    throw status >= 500 || status === 408 || status === 429 ? new Error(why) : new Refused(why);
  };
}
