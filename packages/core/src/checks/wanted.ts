import type { Json } from "@behest/jws";
import type { LiveSession } from "../session/live.ts";
import type { PolicyRequest } from "../policy/request.ts";
import type { ActionClass } from "../profile/profile.ts";

/** What a check is asked about. */
export interface Wanted {
  readonly session: LiveSession;
  readonly tool: string;
  readonly args: Json;
  readonly class: ActionClass;
  /** Of the turn that chose it, where one did. */
  readonly model?: string | undefined;
  /** Name of the override that is in force for it. */
  readonly override?: string | undefined;
  /** ms since the epoch. */
  readonly now: number;
  /** Is told what policies are decided on, where they are evaluated. */
  readonly evaluated?: (request: PolicyRequest) => void;
}
