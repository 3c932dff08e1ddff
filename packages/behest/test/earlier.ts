// Loaded before a program, by NODE_OPTIONS: its clock, and that of its threads, is so many ms behind.
const Right = Date;
const behind = Number(process.env["EARLIER_MS"]);
const now = (): number => Right.now() - behind;
globalThis.Date = new Proxy(Right, {
  construct: (target, args: unknown[]) =>
    args.length === 0 ? new Right(now()) : (Reflect.construct(target, args) as Date),
  get: (target, name) => (name === "now" ? now : (Reflect.get(target, name) as unknown)),
});
export {};
