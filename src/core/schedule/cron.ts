/**
 * Cron patterns, read by croner and walked in wall-clock time: here a wall time is the number of ms that the clock's face would be since 1970 in UTC.
 * What a face means in a zone is decided in slots.ts, by errand's own rules: croner passes over a gap that ends on another day,
 * and takes a list of hours for an interval.
 */
import { Cron } from "croner";
import { ErrandError } from "../errors.ts";
import type { Ms } from "../runtime.ts";

/** A date and a time of day, wherever it is. */
export type Wall = Ms;

export class Pattern {
  readonly #cron: Cron;
  /** It follows the clock's hands, so a repeated hour has its matches twice. */
  readonly isFlowing: boolean;
  /** Its hour is open: what a skipped hour had, the next one has as well. */
  readonly isHourly: boolean;

  constructor(cron: Cron, fields: readonly string[]) {
    const [minute = "", hour = ""] = fields.slice(-5);
    const second = fields.length === 6 ? (fields[0] ?? "") : "";
    this.#cron = cron;
    this.isHourly = hour === "*";
    this.isFlowing = this.isHourly || minute.startsWith("*") || second.startsWith("*");
  }

  /** The first match after that; undefined: there is none. */
  next(after: Wall): Wall | undefined {
    return this.#cron.nextRun(new Date(after))?.getTime();
  }
}

/** A date from which every pattern that ever matches does so within the Gregorian calendar's 400 years. */
const anyDate: Wall = Date.UTC(2000, 0, 1);
/** Each takes about 100 KiB. */
const patternsKept = 200;
const known: Map<string, Pattern> = new Map();

/** Throws `rhythm-invalid`: not a pattern, or one that never matches. */
export function patternOf(text: string, owner: string): Pattern {
  const found = known.get(text);
  if (found !== undefined) return found;
  const made = read(text, owner);
  if (made.next(anyDate) === undefined)
    throw new ErrandError("rhythm-invalid", `${owner} is "${text}", which never comes: no month that it names has such a day; correct the day or the month`, {
      details: { rhythm: text },
    });
  const [oldest] = known.keys();
  if (known.size >= patternsKept && oldest !== undefined) known.delete(oldest);
  known.set(text, made);
  return made;
}

function read(text: string, owner: string): Pattern {
  try {
    // Offset 0: the walk is on a clock's face, without a zone.
    return new Pattern(new Cron(text, { mode: "5-or-6-parts", utcOffset: 0 }), text.split(/\s+/));
  } catch (cause) {
    const said = cause instanceof Error ? cause.message.replace(/^CronPattern: /, "") : String(cause);
    throw new ErrandError(
      "rhythm-invalid",
      `${owner} is "${text.slice(0, 80)}", which is no cron pattern (${said}); write minute, hour, day of month, month and day of week, as in "30 2 * * 1-5"`,
      { cause, details: { rhythm: text } },
    );
  }
}
