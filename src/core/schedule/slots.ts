/**
 * The instants of a schedule.
 *
 * An interval counts from `from`, else from 1970. A pattern's times of day mean the clocks of its zone:
 * - a time that the clocks pass over (a gap) is due at the first instant after it, once; an open hour (`*`) has its next match anyway, and no other;
 * - a time that they show twice (a fold) is due once, at the first; a pattern that follows the hands (an open hour, `*` or `*\/n` minutes) goes on through both.
 */
import type { Instant, Ms } from "../runtime.ts";
import type { Pattern } from "./cron.ts";
import { rhythmOf, type ParsedRhythm } from "./rhythm.ts";
import { Zone } from "./zone.ts";

const hourMs = 3_600_000;
/** More than clocks are ever put back by, and a day and a night. */
const lookAheadMs: Ms = 36 * hourMs;
const hopBackMs: Ms = 30 * hourMs;

/** Seconds of the longest repeated time, and more. */
const lookedAtMax = 100_000;

export interface Times {
  readonly rhythm: string;
  readonly zone: string;
  readonly from: Instant | null;
  readonly to: Instant | null;
}

export class Slots {
  readonly #rhythm: ParsedRhythm;
  readonly #zone: Zone;
  readonly #from: Instant | null;
  readonly #to: Instant | null;

  /** Throws `rhythm-invalid`, `zone-unknown`. */
  constructor({ rhythm, zone, from, to }: Times, owner: string) {
    this.#rhythm = rhythmOf(rhythm, `${owner}'s rhythm`);
    this.#zone = Zone.of(zone, `${owner}.zone`);
    this.#from = from;
    this.#to = to;
  }

  /** The first one after that instant; undefined: none comes any more. */
  next(after: Instant): Instant | undefined {
    const start = this.#from === null ? after : Math.max(after, this.#from - 1);
    const slot = this.#rhythm.is === "interval" ? this.#nextOfInterval(this.#rhythm.everyMs, start) : this.#nextOfPattern(this.#rhythm.pattern, start);
    return slot === undefined || (this.#to !== null && slot > this.#to) ? undefined : slot;
  }

  /** Those in (after, until], in order: the first `most`. */
  within(after: Instant, until: Instant, most: number): Instant[] {
    const slots: Instant[] = [];
    for (let slot = this.next(after); slot !== undefined && slot <= until && slots.length < most; slot = this.next(slot)) slots.push(slot);
    return slots;
  }

  /** The last one in (after, until], found by halving, however many there are. */
  last(after: Instant, until: Instant): Instant | undefined {
    let found = this.#nextUpTo(after, until);
    if (found === undefined) return undefined;
    for (let end = until; found < end;) {
      const middle: Instant = Math.floor((found + end) / 2);
      const slot = this.#nextUpTo(middle, until);
      if (slot === undefined) end = middle;
      else found = slot;
    }
    return found;
  }

  /** The last `most` in (after, until], in order. Looks at few more than that, however many there are. */
  lastFew(after: Instant, until: Instant, most: number): Instant[] {
    let start = after;
    for (let end = until; end - start > 1;) {
      const count = this.within(start, until, 2 * most + 1).length;
      if (count <= 2 * most && (count >= most || start === after)) break;
      const middle = Math.floor((start + end) / 2);
      if (this.within(middle, until, most).length < most) end = middle;
      else start = middle;
    }
    return this.within(start, until, 2 * most + 1).slice(-most);
  }

  #nextUpTo(after: Instant, until: Instant): Instant | undefined {
    const slot = this.next(after);
    return slot !== undefined && slot <= until ? slot : undefined;
  }

  #nextOfInterval(everyMs: Ms, after: Instant): Instant {
    const start = this.#from ?? 0;
    return start + (Math.floor((after - start) / everyMs) + 1) * everyMs;
  }

  #nextOfPattern(pattern: Pattern, after: Instant): Instant | undefined {
    return pattern.isFlowing ? this.#nextOfFlow(pattern, after) : this.#nextOfTimes(pattern, after);
  }

  /** Each time of day once. In a repeated hour those that were due the first time are passed over. */
  #nextOfTimes(pattern: Pattern, after: Instant): Instant | undefined {
    let wall: Instant | undefined = after + this.#zone.offset(after);
    for (let looked = 0; looked < lookedAtMax; looked++) {
      wall = pattern.next(wall);
      if (wall === undefined) return undefined;
      const instant = this.#zone.first(wall);
      if (instant > after) return instant;
    }
    return undefined;
  }

  /** Along the clock's hands, from one change of the clocks to the next. */
  #nextOfFlow(pattern: Pattern, after: Instant): Instant | undefined {
    let start = after;
    for (let looked = 0; looked < lookedAtMax; looked++) {
      const offset = this.#zone.offset(start);
      const wall = pattern.next(start + offset);
      if (wall === undefined) return undefined;
      const slot = wall - offset;
      const change = this.#zone.change(start, Math.min(slot, start + lookAheadMs));
      if (change === undefined && slot - start <= lookAheadMs) return slot;
      if (change !== undefined && this.#isDueAt(change, offset, pattern)) return change;
      start = change ?? slot - hopBackMs;
    }
    return undefined;
  }

  /** Whether it is due when the clocks change: it matches what they show then, or what they pass over. */
  #isDueAt(change: Instant, offsetBefore: Ms, pattern: Pattern): boolean {
    const shown = change + this.#zone.offset(change);
    const from = pattern.isHourly ? shown : Math.min(change + offsetBefore, shown);
    const match = pattern.next(from - 1);
    return match !== undefined && match <= shown;
  }
}
