export { cutsIn, submitTo } from "./feed.ts";
export type { PollOptions } from "./poll.ts";
export { type SignalReceiver, type SignalReceiverOptions, signalReceiver } from "./receiver.ts";
export type { Handler } from "./refusal.ts";
export { type Caller, type TokenRevocation, globalTokenRevocation } from "./revoke.ts";
export type { Subject } from "./subject.ts";
export type { Principal, Transmitter } from "./transmitter.ts";
