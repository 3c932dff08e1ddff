import { BehestError, type Waiting } from "../error.ts";

/** Characters of an action's id that tell it from others of its run. */
const LENGTH = 12;

/** What the model knows a deferred action by. */
export function receiptOf(approval: string): string {
  return approval.slice(0, LENGTH);
}

/**
 * What the model is told of a call that is made later: no refusal, hence another name. Word for word the same whenever
 * its run is entered again, whatever has come of it meanwhile.
 */
export function deferredAs(deferred: Waiting): BehestError {
  const receipt = receiptOf(deferred.approval);
  const hint = "Go on with other work and do not call it again; you will be told what comes of it.";
  const message = `${deferred.tool}: a person was asked to approve it; it has not been done yet. Receipt: ${receipt}. ${hint}`;
  const error = new BehestError("approval_deferred", message, { hint, deferred });
  error.name = "BehestDeferred";
  return error;
}
