/** A span as OTLP/JSON carries it, as far as it is looked at. */
export interface WireSpan {
  readonly trace: string;
  readonly span: string;
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
}

interface Wire {
  readonly [member: string]: unknown;
}

/**
 * The spans of an OTLP/JSON export (opentelemetry-proto, JSON encoding: ids in hex): one request, a list of them, or one
 * a line as a collector's file exporter writes them. What is none is passed over; undefined for a text that is not JSON, or holds no such request.
 */
export function spansIn(text: string): WireSpan[] | undefined {
  const requests = parsed(text);
  if (!requests?.some(({ resourceSpans }) => Array.isArray(resourceSpans))) return undefined;
  const found: WireSpan[] = [];
  for (const request of requests)
    for (const resource of lists(request, "resourceSpans"))
      for (const scope of lists(resource, "scopeSpans"))
        for (const span of lists(scope, "spans")) {
          const { traceId, spanId, name } = span;
          if (typeof traceId === "string" && typeof spanId === "string")
            found.push({
              trace: traceId.toLowerCase(),
              span: spanId.toLowerCase(),
              name: String(name),
              attributes: attributesOf(span),
            });
        }
  return found;
}

function parsed(text: string): Wire[] | undefined {
  const whole = json(text);
  if (whole !== undefined) return objects([whole].flat());
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const each = lines.map(json);
  return lines.length === 0 || each.includes(undefined) ? undefined : objects(each);
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function attributesOf(span: Wire): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const seen = new Set<string>();
  for (const { key, value } of lists(span, "attributes")) {
    const { stringValue } = (value ?? {}) as Wire;
    if (typeof key !== "string") continue;
    // A key is there once (OpenTelemetry): of several values readers would not all go by the same, so it has none.
    if (seen.has(key)) found.set(key, "");
    else if (typeof stringValue === "string") found.set(key, stringValue);
    seen.add(key);
  }
  return found;
}

function lists(of: Wire, member: string): Wire[] {
  const value = of[member];
  return Array.isArray(value) ? objects(value) : [];
}

function objects(values: readonly unknown[]): Wire[] {
  return values.filter((value): value is Wire => typeof value === "object" && value !== null);
}
