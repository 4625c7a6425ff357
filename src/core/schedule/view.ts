/** A stored schedule as callers see it. */
import type { Instant } from "../runtime.ts";
import type { ReadSchedule } from "./stored.ts";
import { queueOf, ruleOf, taskOf, type Missed, type Overlap, type Rule } from "./rule.ts";
import { Slots } from "./slots.ts";

export interface ScheduleView {
  readonly name: string;
  /** Of a batch or chain, its name. */
  readonly task: string;
  readonly queue: string | undefined;
  readonly rhythm: string;
  readonly zone: string;
  readonly missed: Missed;
  readonly overlap: Overlap;
  /** In ms; 0 is none. */
  readonly jitter: number;
  readonly from: Date | undefined;
  readonly to: Date | undefined;
  /** The input of each slot's job; undefined for a batch or chain. */
  readonly input: unknown;
  readonly isPaused: boolean;
  /** As it was given with the pause, "" where none was; undefined: it is not paused. */
  readonly pauseReason: string | undefined;
  /** The next slot, which a pause would pass over; undefined: none comes any more. */
  readonly next: Date | undefined;
  /** The last slot that was enqueued. */
  readonly last: Date | undefined;
  /** What people changed since it was defined. */
  readonly edited: readonly string[];
}

const editable = ["rhythm", "zone", "missed", "overlap", "jitter", "from", "to", "input"];

/** A schedule whose rhythm or zone this platform does not know has no next slot. */
export function viewOf({ stored }: ReadSchedule, pauseReason: string | undefined, now: Instant): ScheduleView {
  const isPaused = pauseReason !== undefined;
  const rule = ruleOf(stored);
  const { rhythm, zone, missed, overlap } = rule;
  const edited = Object.keys(stored.edited).map((key) => (key === "jitterMs" ? "jitter" : key));
  return {
    name: stored.name,
    task: taskOf(rule),
    queue: queueOf(rule),
    rhythm,
    zone,
    missed,
    overlap,
    jitter: rule.jitterMs,
    from: dateOf(rule.from),
    to: dateOf(rule.to),
    input: rule.input === null ? undefined : (JSON.parse(rule.input.payload) as unknown),
    isPaused,
    pauseReason,
    next: dateOf(nextOf(rule, stored.name, isPaused ? Math.max(stored.cursor, now) : stored.cursor)),
    last: dateOf(stored.lastSlot),
    edited: editable.filter((name) => edited.includes(name)),
  };
}

function nextOf(rule: Rule, name: string, after: Instant): Instant | undefined {
  try {
    return new Slots(rule, `schedule ${name}`).next(after);
  } catch {
    return undefined;
  }
}

function dateOf(instant: Instant | null | undefined): Date | undefined {
  return instant === undefined || instant === null ? undefined : new Date(instant);
}
