import { type Json, canonical } from "@behest/jws";
import { spend } from "./effort.ts";
import { FEW, includesAll, isScalar, keysOf } from "./equality.ts";
import { Subject } from "./subject.ts";

/** The value equals one of the values. */
export function isAmong(values: readonly Json[], value: Json, subject?: Subject): boolean {
  if (isScalar(value))
    return (!subject || spend(subject.effort, values.length / 4)) && values.includes(value);
  const { text, effort } = subject ?? new Subject(value);
  for (const member of values) {
    if (isScalar(member)) continue;
    const other = canonical(member);
    if (!spend(effort, 8 + other.length)) return false;
    if (other === text) return true;
  }
  return false;
}

/** The subject is an array that holds every one of the values; both are read as sets. */
export function isSuperset(subject: Subject, values: readonly Json[]): boolean {
  if (areFew(subject.value) && areFew(values)) return includesAll(subject.value, values);
  const { elements, effort } = subject;
  return elements !== undefined && isWithin(keysOf(values, effort), elements);
}

/** The subject is an array of nothing but the values. */
export function isSubset(subject: Subject, values: readonly Json[]): boolean {
  if (areFew(subject.value) && areFew(values)) return includesAll(values, subject.value);
  const { elements, effort } = subject;
  // Neither set is gone through that is longer than the list.
  return (
    elements !== undefined && elements.size <= values.length && isWithin(elements, keysOf(values, effort))
  );
}

function isWithin(some: ReadonlySet<Json> | undefined, all: ReadonlySet<Json> | undefined): boolean {
  if (!some || !all) return false;
  for (const key of some) if (!all.has(key)) return false;
  return true;
}

function areFew(value: Json): value is readonly Json[] {
  return Array.isArray(value) && value.length <= FEW && (value as readonly Json[]).every(isScalar);
}
