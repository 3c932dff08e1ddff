/** What a store is made of: for packages that bring one, such as `@behest/postgres`. Changes with this package. */
export { type HeadRow, type Stored, agreed, damaged, extending } from "./agree.ts";
export { type Held, ruleCharges, ruleUnspent } from "./charges.ts";
export {
  ACCESS,
  ERASED,
  type Erasable,
  type Erase,
  type EraseResult,
  HOLD,
  RELEASE,
  erased,
  ownerOf,
  ruleErase,
} from "./erasure.ts";
export { FRESH, GONE, PRUNED, type Prune, type PruneResult, pruned, restsOn, rulePrune } from "./pruning.ts";
export { type TrustInForce, examine, examineHead, trustEntryOf } from "./examine.ts";
export {
  childless,
  closed,
  conflict,
  mismatch,
  missing,
  superseded,
  twice,
  unattached,
  unstorable,
} from "./failure.ts";
export {
  EMPTY,
  type Emitter,
  type Leaf,
  type Tail,
  emitterOf,
  seal,
  sign,
  takesUp,
  trustDraft,
  trustKey,
} from "./log.ts";
export { newPrincipal } from "./principals.ts";
export {
  type ActionState,
  LAPSED,
  askedBefore,
  lapsed,
  mayFinish,
  mayStart,
  ruleBegin,
  ruleDelegation,
} from "./rules.ts";
export { Dump, type DumpRow } from "./sqlite/dump.ts";
export {
  type Append,
  type ApprovalRow,
  type Begin,
  type BeginResult,
  type Charge,
  type Content,
  type DelegationRow,
  type Draft,
  type Engine,
  type Finish,
  type FinishResult,
  type Identity,
  type JournalRow,
  type Placed,
  type Principal,
  type PrincipalRow,
  type RecordFilter,
  type RecordRow,
  type SeenTool,
  type Store,
  type StoredApproval,
  type StoredDelegation,
  type StoredRecord,
  type Subtree,
  engine,
} from "./types.ts";
