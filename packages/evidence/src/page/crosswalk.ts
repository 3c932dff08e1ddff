import type { Counted } from "./counted.ts";

/** A requirement of somebody else, in our words, and what in a bundle supports it. */
export interface Requirement {
  readonly of: string;
  readonly asks: string;
  /** Fields with how often they are there and proven; undefined: none of this kind is. */
  readonly supported: readonly ((counted: Counted) => string | undefined)[];
  /** What no bundle can show of it. */
  readonly beyond?: string;
}

export interface Framework {
  readonly title: string;
  readonly note: string;
  readonly requirements: readonly Requirement[];
}

/** So many of them, or nothing at all. */
function some(count: number, what: string): string | undefined {
  return count > 0 ? `${count} ${what}` : undefined;
}

const entries = (c: Counted): string | undefined =>
  some(c.actions, "`action` entries (`at`, `tool`, `verdict`, `findings`), signed and in the log");
const outcomes = (c: Counted): string | undefined =>
  some(c.outcomes, "`outcome` entries (`outcome`, `code`, `started`, `ended`)");
const turns = (c: Counted): string | undefined =>
  some(c.turns, "`interaction` entries (`model`, `provider`, `calls`)");
const refusals = (c: Counted): string | undefined =>
  some(c.denied, "actions with the verdict `deny` and the finding that decided");
const authorities = (c: Counted): string | undefined =>
  some(c.authority, "actions whose chain of `delegation` entries is proven: a person, each hop, the agent");
const grants = (c: Counted): string | undefined =>
  some(c.grant, "actions whose arguments, evaluated again, lie within their grants or were refused");
const policies = (c: Counted): string | undefined =>
  some(c.policy, "actions whose `policy`, evaluated again from its text, decides the same");
const people = (c: Counted): string | undefined =>
  some(c.approvals, `\`approval\` entries signed by keys that the manifest names (persons: ${c.persons})`);
const bound = (c: Counted): string | undefined =>
  some(c.approved, "permitted actions that rest on an approval of exactly their tool and arguments");
const holders = (c: Counted): string | undefined =>
  some(c.decision, "actions whose `decision` is signed by the key that the delegation is bound to");
const revocations = (c: Counted): string | undefined => some(c.revocations, "`revocation` entries");
const manifests = (c: Counted): string | undefined =>
  some(c.manifests, "versions of the trust manifest, signed by the owner (keys, roles, ranges)");
const credentials = (c: Counted): string | undefined =>
  some(c.credentials, "`outcome` entries that name the credential of the call");
const overrides = (c: Counted): string | undefined =>
  some(c.overrides, "actions under a signed override (`links.override`)");
const contents = (c: Counted): string | undefined =>
  some(c.content, "actions whose arguments, prompts and results are shown and are what was committed to");

const keeping = (c: Counted): string | undefined =>
  some(
    c.keeping,
    "versions of the trust manifest with a `retention` of six months or more: an earlier erasure is marked in its entry",
  );
const listed = (c: Counted): string | undefined =>
  some(c.listing, "versions of the trust manifest that list by digest which `policies` may decide");
const countersigned = (c: Counted): string | undefined =>
  some(
    c.countersigned,
    "versions of the trust manifest after which a change needs more signatures (`changes`)",
  );
const accesses = (c: Counted): string | undefined =>
  some(c.accesses, "`access` entries (`by`, `what`, `principals`)");

const RETENTION = "That the store itself is kept, and for how long it has been.";

export const CROSSWALK: readonly Framework[] = [
  {
    title: "EU AI Act (Regulation (EU) 2024/1689)",
    note: "For high-risk systems: those of Annex III from 2 December 2027, those of Annex I from 2 August 2028.",
    requirements: [
      {
        of: "12(1)",
        asks: "events are recorded automatically while the system is in use",
        supported: [entries, outcomes, turns],
        beyond: "That nothing acted without going through the recorder.",
      },
      {
        of: "12(2)(a)",
        asks: "events that tell of risks and of substantial modifications",
        supported: [refusals, policies, turns],
        beyond: "The risk class of the system, and versions of prompts.",
      },
      {
        of: "12(2)(b), (c)",
        asks: "events for monitoring after it was placed on the market, and its operation",
        supported: [outcomes, refusals, overrides],
      },
      {
        of: "14(4)",
        asks: "persons can follow, override and stop the system",
        supported: [people, revocations, overrides],
        beyond: "That those persons understood what they were shown.",
      },
      {
        of: "14(5)",
        asks: "for some systems, two persons verify before anything is done",
        supported: [
          (c) =>
            some(
              c.twice,
              "permitted actions that two or more persons approved, each with a key of their own",
            ),
        ],
      },
      {
        of: "19(1)",
        asks: "the provider keeps the logs for at least six months",
        supported: [keeping],
        beyond: RETENTION,
      },
      {
        of: "26(2)",
        asks: "the deployer gives oversight to competent persons",
        supported: [people, bound],
        beyond: "That the persons are competent and trained.",
      },
      {
        of: "26(6)",
        asks: "the deployer keeps the logs for at least six months",
        supported: [keeping],
        beyond: RETENTION,
      },
    ],
  },
  {
    title: "SOC 2, Trust Services Criteria",
    note: "An auditor judges controls over a period. These are records that an auditor can test.",
    requirements: [
      { of: "CC6.1", asks: "logical access is restricted", supported: [authorities, grants, holders] },
      {
        of: "CC6.2",
        asks: "access is given to registered and authorised users, and taken away",
        supported: [manifests, authorities, revocations],
        beyond: "How persons were registered with the issuer.",
      },
      {
        of: "CC6.3",
        asks: "access follows roles, least privilege and separation of duties",
        supported: [grants, policies, people],
      },
      {
        of: "CC7.2",
        asks: "anomalies are monitored",
        supported: [refusals, overrides],
        beyond: "That somebody was alerted.",
      },
      {
        of: "CC7.3, CC7.4",
        asks: "incidents are evaluated and responded to",
        supported: [revocations],
        beyond: "Who evaluated them.",
      },
      {
        of: "CC8.1",
        asks: "changes are authorised, tested and approved",
        supported: [manifests, listed, countersigned],
        beyond: "Author of a change of policies; anything of changes of prompts.",
      },
    ],
  },
  {
    title: "HIPAA Security Rule, 45 CFR",
    note: "For systems that contain or use electronic protected health information.",
    requirements: [
      {
        of: "164.312(b)",
        asks: "activity is recorded and can be examined",
        supported: [entries, outcomes, authorities, credentials],
      },
      {
        of: "164.312(b), of the records themselves",
        asks: "who looked at the audit records is recorded",
        supported: [accesses],
        beyond: "Access to the store that does not go through Behest.",
      },
    ],
  },
  {
    title:
      "NIST NCCoE concept paper on software and AI agent identity and authorization (draft, February 2026)",
    note: "A concept paper with areas of interest, not a standard.",
    requirements: [
      {
        of: "Identification",
        asks: "agents are told apart, with the metadata that matters",
        supported: [holders, turns],
        beyond: "That a key belongs to one agent alone: within one process it identifies the process.",
      },
      {
        of: "Authorization",
        asks: "what an agent may do is decided at each action, least privilege, policies that can change",
        supported: [grants, policies, refusals],
      },
      {
        of: "Access delegation",
        asks: "an agent's authority is linked to the person for whom it acts, and persons can be asked",
        supported: [authorities, bound, revocations],
      },
      {
        of: "Logging and transparency",
        asks: "actions are linked to the agent and to what it intended, and cannot be altered unnoticed",
        supported: [entries, holders, turns],
      },
      {
        of: "Tracking data flows",
        asks: "where prompts and inputs come from, and what was made of them",
        supported: [contents],
        beyond: "The origin of what tools return.",
      },
    ],
  },
];
