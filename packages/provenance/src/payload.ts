/** SHA-256 commitment to a piece of content, base64url (see commitment.ts). */
export type Commitment = string;
/** Leaf hash of an entry, base64url. */
export type EntryHash = string;

interface Common {
  readonly v: 1;
  /** RFC 3339, UTC, milliseconds: the emitter's clock, which orders nothing; the log does. */
  readonly at: string;
}

/**
 * A version of the trust manifest, the certificate of the entry key that signs this very entry, or both: the
 * first entry of a log carries both, and every emitter's first entry (seq 0) carries its certificate. The
 * manifest is read first, so that a new version may name the enforcer of the certificate beside it.
 */
export interface TrustEntry extends Common {
  readonly type: "trust";
  /** The manifest as its owner signed it. */
  readonly manifest?: string;
  /** The entry key's certificate as the enforcer signed it. */
  readonly certificate?: string;
}

/** One hop of a chain, the first time this log meets it. */
export interface DelegationEntry extends Common {
  readonly type: "delegation";
  readonly jti: string;
  /** SHA-256 of the token's signing input, base64url: what `par_hash` and decisions name. */
  readonly leaf: string;
  /** Pseudonym of the principal in this log. */
  readonly principal: string;
  /** Public key of the holder (`x` of an Ed25519 JWK): decisions verify under it. */
  readonly holder: string;
  /** Root only: RFC 7638 thumbprint of the issuer's key that it verified under. */
  readonly issuer?: string;
  readonly depth: number;
  /** Seconds since the epoch, as text. */
  readonly exp: string;
  readonly iat: string;
  /** The spawn's action id, where this enforcer derived it. */
  readonly spawn?: string;
  readonly content: { readonly token: Commitment; readonly agent?: Commitment; readonly task?: Commitment };
  readonly links: { readonly parent?: EntryHash; readonly interaction?: EntryHash };
}

/**
 * What names no delegation was observed: it says so, and that nothing was enforced. Everything else names one, and
 * carries no such mark.
 */
interface Observable {
  /** Nothing was enforced: a permitted action whose last finding is not `ok` would have been denied. */
  readonly enforce?: "shadow";
  /** Nobody had delegated anything: there is no chain behind it. Never without `enforce`. */
  readonly observed?: true;
}

/** One turn of a model: what it was given, what it answered. */
export interface InteractionEntry extends Common, Observable {
  readonly type: "interaction";
  readonly session: string;
  readonly turn: string;
  readonly model: string;
  readonly provider: string;
  /** The calls it chose, by the ids their actions will have. */
  readonly calls: readonly { readonly action: string; readonly tool: string }[];
  readonly content: {
    readonly instruction: Commitment;
    readonly system?: Commitment;
    readonly tools: Commitment;
    readonly response: Commitment;
    readonly alternatives?: Commitment;
    readonly reasoning?: Commitment;
  };
  /** `delegation`: absent where it was observed. */
  readonly links: { readonly delegation?: EntryHash };
}

export interface EntryFinding {
  readonly check: string;
  readonly code: string;
  readonly rule?: string;
  readonly path?: string;
}

/** One attempt of an action that may start (`permit`), or one that may not. */
export interface ActionEntry extends Common, Observable {
  readonly type: "action";
  readonly action: string;
  /** 1 for the first start; 0 where nothing starts. */
  readonly attempt: number;
  readonly session: string;
  readonly tool: string;
  readonly effect: "read" | "reversible" | "irreversible";
  readonly boundary: "inside" | "outside";
  readonly verdict: "permit" | "deny" | "ask";
  readonly findings: readonly EntryFinding[];
  /** What the holder signed: {@link Decision} as a compact JWS. Absent where it was observed: nobody holds anything. */
  readonly decision?: string;
  /** Digest of the policies that it was decided under, where there are any. */
  readonly policy?: string;
  readonly trace?: { readonly trace: string; readonly span: string };
  /** `facts`: what policies were decided on beside the arguments, where they were evaluated. */
  readonly content: { readonly args: Commitment; readonly facts?: Commitment };
  readonly links: {
    /** Absent where it was observed. */
    readonly delegation?: EntryHash;
    readonly interaction?: EntryHash;
    /** Entries of the approvals that this attempt rests on: decisions that it spends, mandates that it uses. */
    readonly approvals?: readonly EntryHash[];
    /** Entry of the override that let it start; then a finding `break_glass` stands behind those that would have stopped it. */
    readonly override?: EntryHash;
  };
}

interface Approving extends Common {
  readonly type: "approval";
  /** What the person signed, a compact JWS. */
  readonly decision: string;
}

/** A person's decision on actions that wait, as it was handed in (see approval.ts). */
export interface DecisionEntry extends Approving {
  readonly kind: "decision";
  /** In the order in which the statement names them. */
  readonly actions: readonly string[];
  /** The entries that asked, in the same order: actions with the verdict `ask`. */
  readonly links: { readonly actions: readonly EntryHash[] };
}

/** A mandate that a person has signed, or withdrawn (see mandate.ts). */
export interface MandateEntry extends Approving {
  readonly kind: "mandate";
  readonly content: { readonly terms: Commitment };
  /** The delegation that it holds for. */
  readonly links: { readonly delegation: EntryHash };
}

/** An override that a person has signed, or withdrawn (see override.ts). */
export interface OverrideEntry extends Approving {
  readonly kind: "override";
  readonly content: { readonly reason: Commitment };
  /** The delegation that it holds for. */
  readonly links: { readonly delegation: EntryHash };
}

export type ApprovalEntry = DecisionEntry | MandateEntry | OverrideEntry;

/** Payload of the holder's decision (`typ` `behest-decision+jwt`). */
export interface Decision {
  readonly action: string;
  readonly leaf: string;
  readonly tool: string;
  readonly args: Commitment;
}

export type OutcomeWord = "done" | "failed" | "aborted" | "unknown";

/** What happened to a started attempt. */
export interface OutcomeEntry extends Common {
  readonly type: "outcome";
  readonly action: string;
  readonly attempt: number;
  readonly outcome: OutcomeWord;
  readonly code: string;
  /** Name of the credential that the tool's body was handed, never its value. */
  readonly credential?: string;
  /** RFC 3339; absent where the body did not start, or only the lapse of a lease is known. */
  readonly started?: string;
  readonly ended?: string;
  readonly content: { readonly result?: Commitment };
  /** `outcome`: the entry that says `unknown` of the same attempt, whose body has ended since; that outcome stands. */
  readonly links: { readonly action: EntryHash; readonly outcome?: EntryHash };
}

/** A cut that was taken in: from here on nothing is permitted that it concerns. The signed cut lies in the feed. */
export interface RevocationEntry extends Common {
  readonly type: "revocation";
  /** SHA-256 of the signed cut, base64url. */
  readonly cut: string;
  /** RFC 7638 thumbprint of the revoker's key. */
  readonly revoker: string;
  /** What its revoker may cut; what lies in several is one entry each. */
  readonly scope: string;
  readonly target: "principal" | "agent" | "holder" | "delegation" | "tenant";
  /** Pseudonyms of the principal, thumbprint of the holder, jti of the delegation; empty for a name. */
  readonly ids: readonly string[];
  /** Roots dated up to then are concerned, seconds since the epoch as text; absent: all. */
  readonly before?: string;
  /** From then on it can concern nobody, seconds since the epoch as text; absent: never. The signed cut may go then. */
  readonly until?: string;
  readonly content: { readonly [field: string]: never };
  readonly links: { readonly [link: string]: never };
}

interface Erasing extends Common {
  readonly type: "erasure";
  /** Committed under a random salt that whoever asked keeps, not the store. */
  readonly content: { readonly reason: Commitment };
}

/** Keys, names and content of these principals are destroyed: nothing of theirs opens any more, or is written. */
export interface PrincipalErasure extends Erasing {
  readonly kind: "principal";
  /** Pseudonyms, at least one. */
  readonly principals: readonly string[];
  /** Some of what was recorded of them was younger than what the trust manifest keeps. */
  readonly early?: true;
  readonly links: { readonly [link: string]: never };
}

/** Until it is released nothing of these principals is erased; of nobody, where none is named. */
export interface HoldEntry extends Erasing {
  readonly kind: "hold";
  readonly principals?: readonly string[];
  readonly links: { readonly [link: string]: never };
}

export interface ReleaseEntry extends Erasing {
  readonly kind: "release";
  readonly links: { readonly hold: EntryHash };
}

export type ErasureEntry = PrincipalErasure | HoldEntry | ReleaseEntry;

/** Somebody was shown what the store keeps; only where a deployment has that recorded. */
export interface AccessEntry extends Common {
  readonly type: "access";
  /** Pseudonym of whoever was shown it. */
  readonly by: string;
  readonly what: "records" | "record" | "evidence";
  /** Pseudonyms of those whom it was about. */
  readonly principals: readonly string[];
  readonly content: { readonly [field: string]: never };
  readonly links: { readonly [link: string]: never };
}

/** Types of entries that are ever pruned. */
export type PrunedType = "delegation" | "interaction" | "action" | "outcome";

/** The text of these entries is gone from the store, and what lay beside them; their hashes stay in the tree. */
export interface PruningEntry extends Common {
  readonly type: "pruning";
  /** RFC 3339, UTC, milliseconds: each of them was recorded before, and so was all that stands before it in the log. */
  readonly before: string;
  /** Indexes of the first and the last of each stretch, in log order. */
  readonly ranges: readonly (readonly [first: number, last: number])[];
  /** How many they are, by type. */
  readonly counts: { readonly [type in PrunedType]?: number };
  readonly content: { readonly [field: string]: never };
  readonly links: { readonly [link: string]: never };
}

export type EntryPayload =
  | TrustEntry
  | DelegationEntry
  | InteractionEntry
  | ActionEntry
  | ApprovalEntry
  | OutcomeEntry
  | RevocationEntry
  | ErasureEntry
  | AccessEntry
  | PruningEntry;
export type EntryType = EntryPayload["type"];
