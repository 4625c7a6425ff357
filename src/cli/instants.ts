/** Instants, read from the command line and shown on the clocks of a zone: never without what makes them one. */
import { inWords } from "../core/duration.ts";
import { Zone } from "../core/schedule/zone.ts";
import { realRuntime } from "../runtime/real.ts";
import { usage, type Arguments } from "./arguments.ts";

const minuteMs = 60_000;

/** A date is its midnight in UTC; a time of day needs its offset. Throws `cli-usage`. */
export function instantOf(given: Arguments, name: string): Date | undefined {
  const text = given.text(name);
  if (text === undefined) return undefined;
  const isInstant = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/.test(text);
  const instant = new Date(text);
  if (isInstant && !Number.isNaN(instant.getTime())) return instant;
  throw usage(`--${name} is "${text}"; write a date, as in 2026-01-31, or a time with its offset, as in 2026-01-31T09:00Z or 2026-01-31T09:00+01:00`);
}

/** `2026-03-29T03:00+02:00`, with seconds where there are some. A zone that this platform does not know is shown in UTC. */
export function inZone(instant: Date, zone: string): string {
  const aheadMs = offsetOf(zone, instant.getTime());
  const shown = new Date(instant.getTime() + aheadMs).toISOString();
  const time = shown.slice(17, 19) === "00" ? shown.slice(0, 16) : shown.slice(0, 19);
  if (aheadMs === 0) return `${time}Z`;
  const minutes = Math.abs(Math.round(aheadMs / minuteMs));
  const twoDigits = (value: number): string => String(value).padStart(2, "0");
  return `${time}${aheadMs < 0 ? "-" : "+"}${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}`;
}

/** "in 3 h 20 min", "2 d ago". */
export function fromNow(instant: Date): string {
  const ms = instant.getTime() - realRuntime().now();
  return ms >= 0 ? `in ${inWords(ms)}` : `${inWords(-ms)} ago`;
}

function offsetOf(zone: string, instant: number): number {
  try {
    return Zone.of(zone, "zone").offset(instant);
  } catch {
    return 0;
  }
}
