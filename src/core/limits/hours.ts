/** Hours of the day in a zone: open while the clock on the wall there shows a time within them, on days that change their offset too. */
import { checkOptions, refuse } from "../options.ts";
import type { Instant, Ms } from "../runtime.ts";
import { Zone } from "../schedule/zone.ts";
import type { OneOrMany } from "../typing.ts";

export type Weekday = "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday" | "weekday" | "weekend";

export interface Hours {
  /** "08:00-18:00", the end excluded; "22:00-06:00" goes over midnight, "00:00-24:00" is the whole day. */
  readonly open: `${number}:${number}-${number}:${number}`;
  /** An IANA time zone: "Europe/Berlin". */
  readonly zone: string;
  /** The days on which they begin. Default: every day. */
  readonly days?: OneOrMany<Weekday>;
}

const minuteMs = 60_000;
const dayMinutes = 1_440;
/** Zones change their offset at quarters of an hour. */
const quarterMs: Ms = 15 * minuteMs;
const lookAheadMs: Ms = 26 * 60 * minuteMs;
const weekMs: Ms = 8 * dayMinutes * minuteMs;
const windowsMax = 16;

const weekdays: Readonly<Record<Weekday, readonly number[]>> = {
  monday: [1],
  tuesday: [2],
  wednesday: [3],
  thursday: [4],
  friday: [5],
  saturday: [6],
  sunday: [0],
  weekday: [1, 2, 3, 4, 5],
  weekend: [0, 6],
};

/** Accepts one window or several. Throws `option-invalid`, `option-unknown`, `zone-unknown`. */
export function someHours(value: unknown, path: string): void {
  const windows: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (windows.length === 0 || windows.length > windowsMax)
    refuse(path, value, `one to ${windowsMax} windows such as { open: "22:00-06:00", zone: "Europe/Berlin" }`);
  for (const window of windows) checkWindow(window, path);
}

/** The checks of a window's own options, for what extends it. */
export const windowChecks: Readonly<Record<string, (value: unknown, path: string) => void>> = {
  open: anInterval,
  zone: (value, path) => void Zone.of(value, path),
  days: someDays,
};

export function checkWindow(value: unknown, path: string, checks: typeof windowChecks = windowChecks): void {
  checkOptions(value, path, checks);
  const { open, zone } = value as Partial<Hours>;
  if (open === undefined) refuse(`${path}.open`, open, '"22:00-06:00"');
  if (zone === undefined) refuse(`${path}.zone`, zone, 'the name of a time zone, as in "Europe/Berlin"');
}

export function hoursOf(hours: OneOrMany<Hours> | undefined): readonly Hours[] | undefined {
  return hours === undefined || Array.isArray(hours) ? (hours as readonly Hours[] | undefined) : [hours as Hours];
}

export function isOpen(hours: readonly Hours[], at: Instant): boolean {
  return hours.some((window) => isWithin(window, at));
}

/** How long until they open or close; at most 26 hours: then look again. */
export function untilChangeMs(hours: readonly Hours[], at: Instant): Ms {
  return changeAfter(hours, at, lookAheadMs) - at;
}

/** When they open next; undefined: not within eight days. */
export function opensAt(hours: readonly Hours[], at: Instant): Instant | undefined {
  if (isOpen(hours, at)) return at;
  const next = changeAfter(hours, at, weekMs);
  return isOpen(hours, next) ? next : undefined;
}

/** From one possible change to the next: an end of a window, or a quarter of an hour, at which the zone may change its offset. */
function changeAfter(hours: readonly Hours[], at: Instant, withinMs: Ms): Instant {
  const now = isOpen(hours, at);
  let next = at;
  while (next - at < withinMs) {
    next = Math.min(...hours.map((window) => possibleChange(window, next)));
    if (isOpen(hours, next) !== now) break;
  }
  return next;
}

function possibleChange({ open, zone }: Hours, at: Instant): Instant {
  const { minute } = wallTime(at, zone);
  const [start, end] = minutesOf(open);
  const untilMinutes = Math.min(...[start, end].map((edge) => (edge - minute + 2 * dayMinutes) % dayMinutes || dayMinutes));
  const minuteAt = Math.floor(at / minuteMs) * minuteMs;
  return Math.min(minuteAt + untilMinutes * minuteMs, (Math.floor(at / quarterMs) + 1) * quarterMs);
}

function isWithin({ open, zone, days }: Hours, at: Instant): boolean {
  const { weekday, minute } = wallTime(at, zone);
  const [start, end] = minutesOf(open);
  const begins = (day: number): boolean => days === undefined || [days].flat().some((name) => weekdays[name as Weekday].includes(day));
  if (start < end) return minute >= start && minute < end && begins(weekday);
  return (minute >= start && begins(weekday)) || (minute < end && begins((weekday + 6) % 7));
}

/** What the clocks of a zone show: 0 is Sunday; minutes since midnight. */
function wallTime(at: Instant, zone: string): { readonly weekday: number; readonly minute: number } {
  const wall = new Date(at + Zone.of(zone, "zone").offset(at));
  return { weekday: wall.getUTCDay(), minute: wall.getUTCHours() * 60 + wall.getUTCMinutes() };
}

function minutesOf(open: string): [start: number, end: number] {
  const [, startHour, startMinute, endHour, endMinute] = pattern.exec(open) ?? [];
  return [Number(startHour) * 60 + Number(startMinute), Number(endHour) * 60 + Number(endMinute)];
}

const pattern = /^(\d\d):(\d\d)-(\d\d):(\d\d)$/;

function anInterval(value: unknown, path: string): void {
  const match = typeof value === "string" ? pattern.exec(value) : null;
  const [startHour = 99, startMinute = 99, endHour = 99, endMinute = 99] = (match ?? []).slice(1).map(Number);
  const isTime = startHour < 24 && startMinute < 60 && endMinute < 60 && (endHour < 24 || (endHour === 24 && endMinute === 0));
  if (!isTime) refuse(path, value, 'two times of day, as in "08:00-18:00" or "22:00-06:00"');
  if (startHour === endHour && startMinute === endMinute) refuse(path, value, 'two different times, or "00:00-24:00" for the whole day');
}

function someDays(value: unknown, path: string): void {
  const days: readonly unknown[] = Array.isArray(value) ? value : [value];
  const isKnown = days.length > 0 && days.every((day) => typeof day === "string" && Object.hasOwn(weekdays, day));
  if (!isKnown) refuse(path, value, `one or more of ${Object.keys(weekdays).join(", ")}`);
}
