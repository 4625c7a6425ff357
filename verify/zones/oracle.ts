/**
 * The instants of a schedule once more, written from the words of the guide and not from the source: a walk over every minute of a span of time, looking at what
 * a zone's clock shows in each. It knows nothing of croner, nor of how src/core/schedule goes about it.
 */
const minuteMs = 60_000;
const dayMs = 86_400_000;

/** What a clock and a calendar show. */
export interface Shown {
  readonly minute: number;
  readonly hour: number;
  readonly day: number;
  readonly month: number;
  /** 0 is Sunday. */
  readonly weekday: number;
}

/** One minute: when it begins, and what the clock shows then, as a number that grows with date and time. */
interface Minute {
  readonly at: number;
  readonly face: number;
  readonly shown: Shown;
}

/** All minutes from `from` to `until`, in order. */
export class Walk {
  readonly #minutes: readonly Minute[];
  readonly #firstWith: ReadonlyMap<number, number>;
  /** Every minute of the calendar between the first and the last, whether a clock showed it or not. */
  readonly #calendar: readonly { readonly face: number; readonly shown: Shown }[];

  constructor(zone: string, from: number, until: number) {
    const clock = new Clock(zone);
    const minutes: Minute[] = [];
    for (let at = Math.ceil(from / minuteMs) * minuteMs; at <= until; at += minuteMs) {
      const face = clock.face(at);
      minutes.push({ at, face, shown: shownBy(face) });
    }
    this.#minutes = minutes;
    const firstWith = new Map<number, number>();
    for (const { at, face } of minutes) if (!firstWith.has(face)) firstWith.set(face, at);
    this.#firstWith = firstWith;
    const [first, last] = [minutes[0]?.face ?? 0, minutes.at(-1)?.face ?? 0];
    this.#calendar = Array.from({ length: (last - first) / minuteMs + 1 }, (_, index) => first + index * minuteMs).map((face) => ({
      face,
      shown: shownBy(face),
    }));
  }

  /** A cron pattern's instants. A day and more at both ends must be of no interest. */
  cron(text: string): number[] {
    const pattern = new CronFields(text);
    const due = new Set<number>();
    for (const { face, shown } of this.#calendar) {
      if (!pattern.has(shown)) continue;
      const at = this.#firstWith.get(face);
      if (at !== undefined) due.add(at);
      else if (!pattern.isHourOpen) due.add(this.#afterGap(face));
    }
    if (pattern.isFlowing) for (const { at, shown } of this.#minutes) if (pattern.has(shown)) due.add(at);
    return [...due].toSorted((a, b) => a - b);
  }

  interval(everyMs: number, from: number): number[] {
    return this.#minutes.map(({ at }) => at).filter((at) => (at - from) % everyMs === 0);
  }

  /** The clock passed over that time: the first minute at which it shows a later one, having shown an earlier one before. */
  #afterGap(face: number): number {
    for (let index = 1; index < this.#minutes.length; index++) {
      const [before, now] = [this.#minutes[index - 1], this.#minutes[index]];
      if (before !== undefined && now !== undefined && before.face < face && now.face > face) return now.at;
    }
    throw new Error(`no minute after the gap at ${new Date(face).toISOString()}`);
  }
}

/** A zone's clock, as the platform shows it. */
export class Clock {
  readonly #format: Intl.DateTimeFormat;

  constructor(zone: string) {
    // Swedes write dates as ISO 8601 does.
    this.#format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
  }

  /** The date and time shown, taken for one in UTC. */
  face(at: number): number {
    return Date.parse(`${this.#format.format(at).replace(" ", "T")}Z`);
  }
}

function shownBy(face: number): Shown {
  const date = new Date(face);
  return {
    minute: date.getUTCMinutes(),
    hour: date.getUTCHours(),
    day: date.getUTCDate(),
    month: date.getUTCMonth() + 1,
    weekday: (Math.floor(face / dayMs) + 4) % 7,
  };
}

/** Five fields of numbers, lists, ranges and steps. */
class CronFields {
  readonly #sets: readonly ReadonlySet<number>[];
  readonly #isDayOpen: boolean;
  readonly #isWeekdayOpen: boolean;
  readonly isHourOpen: boolean;
  readonly isFlowing: boolean;

  constructor(text: string) {
    const fields = text.split(" ");
    const [minute = "", hour = "", day = "", month = "", weekday = ""] = fields;
    this.#sets = [valuesOf(minute, 0, 59), valuesOf(hour, 0, 23), valuesOf(day, 1, 31), valuesOf(month, 1, 12), valuesOf(weekday, 0, 6)];
    this.#isDayOpen = day === "*";
    this.#isWeekdayOpen = weekday === "*";
    this.isHourOpen = hour === "*";
    this.isFlowing = this.isHourOpen || minute.startsWith("*");
  }

  has({ minute, hour, day, month, weekday }: Shown): boolean {
    const [minutes, hours, days, months, weekdays] = this.#sets;
    if (!minutes?.has(minute) || !hours?.has(hour) || !months?.has(month)) return false;
    const [isDay, isWeekday] = [days?.has(day) === true, weekdays?.has(weekday) === true];
    // Where both are named, either will do.
    return this.#isDayOpen || this.#isWeekdayOpen ? isDay && isWeekday : isDay || isWeekday;
  }
}

function valuesOf(field: string, least: number, most: number): ReadonlySet<number> {
  const values = new Set<number>();
  for (const part of field.split(",")) {
    const [range = "", step = "1"] = part.split("/");
    const [low = "", high = low] = range === "*" ? [String(least), String(most)] : range.split("-");
    for (let value = Number(low); value <= Number(high); value += Number(step)) values.add(value);
  }
  return values;
}
