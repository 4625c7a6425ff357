/** An instant as a customer reads it: in their language, by their clock, and never two instants in one text. */
import { offsetText } from "./zones.ts";

const formats = new Map<string, Intl.DateTimeFormat>();

/**
 * "November 1, 2026 at 1:00:04 AM (UTC−08:00, America/Los_Angeles)". When clocks go back, an hour is shown twice;
 * the offset tells the one from the other, and the zone says whose clock it is.
 */
export function asOf(at: number, locale: string, zone: string): string {
  return `${formatOf(locale, zone).format(at)} (${offsetText(zone, at)}, ${zone})`;
}

function formatOf(locale: string, zone: string): Intl.DateTimeFormat {
  const key = `${locale} ${zone}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "medium", timeZone: zone, calendar: "gregory" });
  formats.set(key, made);
  return made;
}
