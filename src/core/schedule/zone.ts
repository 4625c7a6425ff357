/** A time zone: what its clocks show at an instant, and when they show a time of day. All from the platform's own tables. */
import { ErrandError } from "../errors.ts";
import { didYouMean } from "../names.ts";
import type { Instant, Ms } from "../runtime.ts";
import type { Wall } from "./cron.ts";

const hourMs = 3_600_000;
const offsetsKept = 2_000;
/** No zone is further from UTC, to either side. */
const aheadMaxMs = 15 * hourMs;
const behindMaxMs = 13 * hourMs;

export class Zone {
  readonly #format: Intl.DateTimeFormat;
  /** By the second: schedules of a zone ask for the same ones. */
  readonly #offsets: Map<number, Ms> = new Map();

  private constructor(format: Intl.DateTimeFormat) {
    this.#format = format;
  }

  /** Throws `zone-unknown`. */
  static of(name: unknown, owner: string): Zone {
    const found = known.get(String(name));
    if (found !== undefined) return found;
    const made = new Zone(formatOf(name, owner));
    const [oldest] = known.keys();
    if (known.size >= zonesKept && oldest !== undefined) known.delete(oldest);
    known.set(String(name), made);
    return made;
  }

  /** How far its clocks are ahead of UTC then. */
  offset(instant: Instant): Ms {
    const second = Math.floor(instant / 1_000);
    const found = this.#offsets.get(second);
    if (found !== undefined) return found;
    if (this.#offsets.size >= offsetsKept) this.#offsets.clear();
    const offset = this.#shownAt(second * 1_000) - second * 1_000;
    this.#offsets.set(second, offset);
    return offset;
  }

  /** What its clocks show, to the second. */
  #shownAt(instant: Instant): Wall {
    const shown = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
    for (const { type, value } of this.#format.formatToParts(instant)) if (type in shown) shown[type as keyof typeof shown] = Number(value);
    return Date.UTC(shown.year, shown.month - 1, shown.day, shown.hour, shown.minute, shown.second);
  }

  /** When its clocks show that time for the first time; where they pass over it, the first instant after the gap. */
  first(wall: Wall): Instant {
    const [from, to] = [wall - aheadMaxMs, wall + behindMaxMs];
    for (const offset of [this.offset(from), this.offset(to)]) if (this.offset(wall - offset) === offset) return wall - offset;
    return this.change(from, to) ?? to;
  }

  /** The instant in (after, until] at which its clocks are first put forward or back. */
  change(after: Instant, until: Instant): Instant | undefined {
    const offset = this.offset(after);
    if (this.offset(until) === offset) return undefined;
    let [before, from] = [after, until];
    while (from - before > 1) {
      const middle = Math.floor((before + from) / 2);
      if (this.offset(middle) === offset) before = middle;
      else from = middle;
    }
    return from;
  }
}

const zonesKept = 500;
const known: Map<string, Zone> = new Map();

function formatOf(name: unknown, owner: string): Intl.DateTimeFormat {
  const numeric = "numeric";
  try {
    if (typeof name !== "string" || name === "") throw new RangeError("no name");
    const time = { year: numeric, month: numeric, day: numeric, hour: numeric, minute: numeric, second: numeric } as const;
    return new Intl.DateTimeFormat("en-US", { timeZone: name, calendar: "gregory", numberingSystem: "latn", hourCycle: "h23", ...time });
  } catch (cause) {
    const guess = typeof name === "string" ? didYouMean(name, Intl.supportedValuesOf("timeZone")) : "";
    throw new ErrandError(
      "zone-unknown",
      `${owner} is ${JSON.stringify(name)}, which is no time zone here${guess || '; write one like "Europe/Berlin" or "UTC"'}`,
      {
        cause,
        details: { zone: name },
      },
    );
  }
}
