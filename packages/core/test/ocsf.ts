// What OCSF 1.9.0 demands of an API Activity event and of the objects that ours contain: read from its definitions
// (events/application/api_activity, events/base_event, the profiles ai_operation, security_control and trace, their
// objects and the dictionary), in our own form and only as far as we use it. What is not listed here may not occur.

type Type = "string" | "integer" | "timestamp" | "any" | { readonly object: string; readonly many?: true };

interface Attribute {
  readonly type: Type;
  readonly required?: true;
  /** Allowed values, where the schema enumerates them. */
  readonly of?: readonly number[];
  /** Only where `metadata.profiles` names it. */
  readonly profile?: string;
}

interface Definition {
  readonly attributes: { readonly [name: string]: Attribute };
  /** One of these at least. */
  readonly oneOf?: readonly string[];
}

const text: Attribute = { type: "string" };
const upTo = (last: number, ...more: number[]): readonly number[] => [
  ...Array.from({ length: last + 1 }, (_, i) => i),
  ...more,
];
const object = (name: string): Attribute => ({ type: { object: name } });

const DEFINITIONS: { readonly [name: string]: Definition } = {
  api_activity: {
    attributes: {
      activity_id: { type: "integer", required: true, of: upTo(4, 99) },
      activity_name: text,
      category_uid: { type: "integer", required: true, of: [6] },
      category_name: text,
      class_uid: { type: "integer", required: true, of: [6003] },
      class_name: text,
      type_uid: { type: "integer", required: true, of: [600300, 600301, 600302, 600303, 600304, 600399] },
      type_name: text,
      time: { type: "timestamp", required: true },
      start_time: { type: "timestamp" },
      end_time: { type: "timestamp" },
      severity_id: { type: "integer", required: true, of: upTo(6, 99) },
      severity: text,
      status_id: { type: "integer", of: [0, 1, 2, 99] },
      status: text,
      status_code: text,
      message: text,
      metadata: { ...object("metadata"), required: true },
      actor: { ...object("actor"), required: true },
      api: { ...object("api"), required: true },
      src_endpoint: { ...object("network_endpoint"), required: true },
      unmapped: { type: "any" },
      ai_agent: { ...object("ai_agent"), profile: "ai_operation" },
      delegation: { ...object("delegation"), profile: "ai_operation" },
      action_id: { type: "integer", of: upTo(4, 99), profile: "security_control" },
      action: { ...text, profile: "security_control" },
      disposition_id: { type: "integer", of: upTo(27, 99), profile: "security_control" },
      disposition: { ...text, profile: "security_control" },
      authorizations: { type: { object: "authorization", many: true }, profile: "security_control" },
      policy: { ...object("policy"), profile: "security_control" },
      trace: { ...object("trace"), profile: "trace" },
    },
  },
  metadata: {
    attributes: {
      version: { ...text, required: true },
      product: { ...object("product"), required: true },
      profiles: { type: "any" },
      uid: text,
      log_name: text,
      sequence: { type: "integer" },
      correlation_uid: text,
      original_time: text,
    },
  },
  product: { attributes: { name: text, vendor_name: text }, oneOf: ["name", "uid"] },
  actor: { attributes: { user: object("user") }, oneOf: ["user"] },
  user: { attributes: { name: text, uid: text }, oneOf: ["account", "name", "uid"] },
  network_endpoint: { attributes: { name: text, instance_uid: text }, oneOf: ["name", "instance_uid"] },
  api: { attributes: { operation: { ...text, required: true }, request: object("request") } },
  request: { attributes: { uid: { ...text, required: true } } },
  ai_agent: {
    // `uid` is recommended; in an earlier draft it was required.
    attributes: { name: text, uid: text, instance_uid: text, ai_model: object("ai_model") },
    oneOf: ["name", "uid"],
  },
  ai_model: { attributes: { name: { ...text, required: true }, ai_provider: { ...text, required: true } } },
  delegation: {
    attributes: {
      uid: { ...text, required: true },
      parent_uid: text,
      issuer_uid: text,
      created_time: { type: "timestamp" },
    },
  },
  authorization: { attributes: { decision: text, policy: object("policy") } },
  policy: { attributes: { name: text, uid: text }, oneOf: ["name", "type", "uid"] },
  trace: { attributes: { uid: { ...text, required: true } } },
};

/** Captions of enumerated values, where ours are used: the sibling of an id has to say the same. */
const CAPTIONS: {
  readonly [id: string]: readonly [sibling: string, captions: { readonly [id: number]: string }];
} = {
  activity_id: ["activity_name", { 2: "Read" }],
  action_id: ["action", { 1: "Allowed", 2: "Denied", 3: "Observed" }],
  disposition_id: ["disposition", { 1: "Allowed", 2: "Blocked", 14: "Delayed", 17: "Logged" }],
  severity_id: ["severity", { 1: "Informational", 2: "Low", 3: "Medium" }],
  status_id: ["status", { 0: "Unknown", 1: "Success", 2: "Failure" }],
};

/** What is wrong with an event, by OCSF 1.9.0; nothing where it holds. */
export function faultsOf(event: object): readonly string[] {
  const { metadata } = event as { readonly metadata?: { readonly profiles?: readonly string[] } };
  const faults = faultsIn("api_activity", event, metadata?.profiles ?? []);
  const said = event as { readonly [name: string]: unknown };
  for (const [id, [sibling, captions]] of Object.entries(CAPTIONS)) {
    // 99 is whatever the source calls it.
    const caption = captions[said[id] as number];
    if (said[id] === undefined || (said[id] !== 99 && caption !== said[sibling]) || !said[sibling])
      faults.push(`${sibling} is not the caption of ${id}`);
  }
  if (said["type_uid"] !== Number(said["class_uid"]) * 100 + Number(said["activity_id"]))
    faults.push("type_uid is not class_uid × 100 + activity_id");
  return faults;
}

function faultsIn(name: string, value: object, profiles: readonly string[], path = name): string[] {
  const { attributes, oneOf } = DEFINITIONS[name]!;
  const faults: string[] = [];
  for (const [key, { required }] of Object.entries(attributes))
    if (required && !Object.hasOwn(value, key)) faults.push(`${path}.${key} is missing`);
  if (oneOf && !oneOf.some((key) => Object.hasOwn(value, key)))
    faults.push(`${path} has none of ${oneOf.join()}`);
  for (const [key, member] of Object.entries(value) as [string, unknown][]) {
    const attribute = Object.hasOwn(attributes, key) ? attributes[key] : undefined;
    const at = `${path}.${key}`;
    if (!attribute) faults.push(`${at} is unknown`);
    else if (attribute.profile !== undefined && !profiles.includes(attribute.profile))
      faults.push(`${at} is of the profile ${attribute.profile}`);
    else if (typeof attribute.type === "object") {
      const { object: of, many } = attribute.type;
      if (many !== Array.isArray(member) && (many || Array.isArray(member)))
        faults.push(`${at} is not a list`);
      for (const one of [member].flat())
        if (typeof one === "object" && one !== null) faults.push(...faultsIn(of, one, profiles, at));
        else faults.push(`${at} is no object`);
    } else if (!isOf(attribute.type, member)) faults.push(`${at} is no ${attribute.type}`);
    else if (attribute.of && !attribute.of.includes(member as number))
      faults.push(`${at} is none of its values`);
  }
  return faults;
}

function isOf(type: Exclude<Type, object>, value: unknown): boolean {
  if (type === "any") return true;
  if (type === "string") return typeof value === "string" && value !== "";
  // ms since the epoch: later than 2001 where it is not seconds.
  return Number.isSafeInteger(value) && (type === "integer" || (value as number) > 1e12);
}
