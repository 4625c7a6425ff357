/** A named resource of which running jobs hold amounts: licences, GPUs, connections that somebody counts. */
import { limitMax } from "../defaults.ts";
import { checkName } from "../names.ts";
import type { StoredResource } from "../notes.ts";
import { aWholeNumber, checkOptions, refuse } from "../options.ts";
import type { Instant, Ms } from "../runtime.ts";
import { checkWindow, isOpen, untilChangeMs, windowChecks, type Hours } from "./hours.ts";

export interface ResourceOptions {
  /** How much of it there is outside its calendar. */
  readonly capacity: number;
  /** How much there is at certain hours; where two of them meet, the first counts. */
  readonly calendar?: readonly CalendarEntry[];
}
export interface CalendarEntry extends Hours {
  readonly capacity: number;
}
export interface Resource {
  readonly kind: "resource";
  readonly name: string;
}
/** A resource as the broker holds it. */
export interface AnyResource extends Resource {
  readonly options: ResourceOptions;
}

/** A resource's note: what it has now, and why. */
export interface KeptResource extends StoredResource {
  /** As the code says it; its calendar is applied by any worker, with or without that code. */
  readonly defined?: ResourceOptions;
  /** A person set it by `work.limit`. */
  readonly isEdited?: true;
}

const calendarMax = 32;
const aCapacity = aWholeNumber(0, limitMax);

/**
 * Defines a resource that tasks may need.
 *
 *     export const gpu = resource("gpu", { capacity: 4, calendar: [{ open: "08:00-18:00", zone: "Europe/Berlin", days: "weekday", capacity: 1 }] });
 *     export const render = task("render", { needs: { gpu: 1 }, run: … });
 *
 * Its capacity is stored when a broker that has it first opens, and holds for all processes; `work.limit` changes it while they run.
 * A job holds its amount from its claim until it leaves `running`, crashes included. Throws `name-invalid`, `option-unknown`, `option-invalid`.
 */
export function resource(name: string, options: ResourceOptions): Resource {
  const checkedName = checkName(name, "the resource");
  checkOptions(options, `resource("${checkedName}")`, { capacity: aCapacity, calendar: aCalendar });
  if (options.capacity === undefined) refuse(`resource("${checkedName}").capacity`, undefined, "how much of it there is");
  const made: AnyResource = { kind: "resource", name: checkedName, options };
  return Object.freeze(made);
}

/** Accepts what `work.limit` may make of a resource. */
export function checkCapacity(value: unknown, path: string): void {
  checkOptions(value, path, { capacity: aCapacity });
  if ((value as Partial<StoredResource>).capacity === undefined) refuse(`${path}.capacity`, undefined, "how much of it there is");
}

export function capacityAt({ capacity, calendar = [] }: ResourceOptions, at: Instant): number {
  return calendar.find((entry) => isOpen([entry], at))?.capacity ?? capacity;
}

/** How long until its calendar may say otherwise. Undefined: it has none. */
export function untilCalendarMs({ calendar = [] }: ResourceOptions, at: Instant): Ms | undefined {
  return calendar.length === 0 ? undefined : Math.min(...calendar.map((entry) => untilChangeMs([entry], at)));
}

/** Accepts amounts of resources by name. */
export function someNeeds(value: unknown, path: string): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) refuse(path, value, "amounts of resources by name, as in { gpu: 1 }");
  const entries = Object.entries(value);
  if (entries.length > needsMax) refuse(path, value, `at most ${needsMax} resources`);
  for (const [name, amount] of entries) {
    checkName(name, `${path}:`);
    aWholeNumber(1, limitMax)(amount, `${path}.${name}`);
  }
}

const needsMax = 16;

function aCalendar(value: unknown, path: string): void {
  if (!Array.isArray(value) || value.length > calendarMax) refuse(path, value, `a list of up to ${calendarMax} hours with a capacity`);
  for (const [index, entry] of value.entries()) {
    const at = `${path}[${index}]`;
    checkWindow(entry, at, { ...windowChecks, capacity: aCapacity });
    if ((entry as Partial<CalendarEntry>).capacity === undefined) refuse(`${at}.capacity`, undefined, "how much of it there is at these hours");
  }
}
