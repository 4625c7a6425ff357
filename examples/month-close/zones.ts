/** Wall clocks: how far one is from UTC at an instant, and when a month starts by it. */

const clocks = new Map<string, Intl.DateTimeFormat>();

/** What a clock in that zone shows, read as if it were UTC, less the instant: how far it is ahead of UTC, in ms. */
export function offsetMs(zone: string, at: number): number {
  const parts = Object.fromEntries(
    clockOf(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1_000) * 1_000;
}

/** "UTC−07:00" */
export function offsetText(zone: string, at: number): string {
  const minutes = Math.round(offsetMs(zone, at) / 60_000);
  const digits = (value: number): string => String(Math.floor(Math.abs(value))).padStart(2, "0");
  return `UTC${minutes < 0 ? "−" : "+"}${digits(minutes / 60)}:${digits(minutes % 60)}`;
}

/** The first instant of a month ("2026-10") by the clocks of a zone. Where they go back across midnight, the first of the two midnights. */
export function startOfMonth(month: string, zone: string): number {
  const [year = 0, number = 1] = month.split("-").map(Number);
  const asUtc = Date.UTC(year, number - 1, 1);
  const dayMs = 86_400_000;
  const midnights = [asUtc - offsetMs(zone, asUtc - dayMs), asUtc - offsetMs(zone, asUtc + dayMs)];
  const shown = midnights.filter((at) => at + offsetMs(zone, at) === asUtc);
  return Math.min(...(shown.length > 0 ? shown : midnights));
}

export function monthAfter(month: string): string {
  const [year = 0, number = 1] = month.split("-").map(Number);
  return number === 12 ? `${year + 1}-01` : `${year}-${String(number + 1).padStart(2, "0")}`;
}

function clockOf(zone: string): Intl.DateTimeFormat {
  const known = clocks.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  clocks.set(zone, made);
  return made;
}
