// Biscuit: a block is signed by a key that the block before it names, made anew for each block and handed on with
// the token; restrictions are Datalog. It is a bearer token: nothing proves who presents it.
import { toolsAt } from "../chains.ts";

const { AuthorizerBuilder, Biscuit, KeyPair, SignatureAlgorithm } = await quietly(
  () => import("@biscuit-auth/biscuit-wasm"),
);
type Token = ReturnType<typeof Biscuit.fromBase64>;
type PrivateKey = ReturnType<InstanceType<typeof KeyPair>["getPrivateKey"]>;
type PublicKey = ReturnType<InstanceType<typeof KeyPair>["getPublicKey"]>;

/** The closed world once, in the authority block, which every other block can only narrow. */
const CLOSED_WORLD = `check all tool($t), argument($n), [${Object.entries(toolsAt(0))
  .flatMap(([tool, named]) => Object.keys(named).map((argument) => `"${tool}.${argument}"`))
  .join(", ")}].contains($t + "." + $n);`;

function restriction(hop: number): string {
  return `
    check if time($now), $now < ${new Date(Date.now() + 3_600_000).toISOString()};
    check if tool("pay"), amount($a), $a <= ${100 - hop}, currency($c), ["EUR", "USD"].contains($c)
      or tool("read_file"), path($p), $p.starts_with("/data${"/team".repeat(hop)}/"), !$p.contains("..")
      or tool("send_mail"), to($t), $t.ends_with("@example.com"), subject($s), body($b);`;
}

function mint(root: PrivateKey): Token {
  const builder = Biscuit.builder();
  builder.addCode(
    `user("user-7"); right("pay"); right("read_file"); right("send_mail"); ${CLOSED_WORLD} ${restriction(0)}`,
  );
  return builder.build(root);
}

function attenuate(token: Token, hop: number): Token {
  const block = Biscuit.block_builder();
  block.addCode(restriction(hop));
  const narrowed = token.appendBlock(block);
  // What is not freed is collected during somebody else's turn.
  block.free();
  return narrowed;
}

interface Presented {
  readonly text: string;
  readonly root: PublicKey;
}

function authorize({ text, root }: Presented): void {
  const token = Biscuit.fromBase64(text, root);
  const builder = new AuthorizerBuilder();
  builder.addCode(
    `time(${new Date().toISOString()}); tool("pay"); argument("amount"); amount(20);
     argument("currency"); currency("EUR"); allow if tool($t), right($t);`,
  );
  const authorizer = builder.buildAuthenticated(token);
  authorizer.authorizeWithLimits({ max_time_micro: 1_000_000 });
  authorizer.free();
  token.free();
}

/** A token of so many blocks. */
export async function biscuitOf(blocks: number): Promise<Presented> {
  const root = new KeyPair(SignatureAlgorithm.Ed25519);
  let token = mint(root.getPrivateKey());
  for (let hop = 1; hop < blocks; hop++) token = attenuate(token, hop);
  return { text: token.toBase64(), root: root.getPublicKey() };
}

export function biscuitVerification(presented: Presented): () => void {
  return () => authorize(presented);
}

export function biscuitWork(): () => void {
  const pair = new KeyPair(SignatureAlgorithm.Ed25519);
  const [issuer, root] = [pair.getPrivateKey(), pair.getPublicKey()];
  return () => {
    const minted = mint(issuer);
    const narrowed = attenuate(minted, 1);
    const text = narrowed.toBase64();
    minted.free();
    narrowed.free();
    authorize({ text, root });
  };
}

/** The module greets on stdout, where `--json` prints figures. */
async function quietly<T>(load: () => Promise<T>): Promise<T> {
  const { log } = console;
  console.log = () => undefined;
  try {
    return await load();
  } finally {
    console.log = log;
  }
}
