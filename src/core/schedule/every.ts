/** A schedule: work that comes again and again. */
import { durationMs, type Duration } from "../duration.ts";
import { ErrandError } from "../errors.ts";
import { checkName } from "../names.ts";
import { aDate, checkOptions, oneOf, refuse } from "../options.ts";
import { anErrand } from "../compose/anErrand.ts";
import { madeByTaskWith, type AnyTask, type Errand } from "../task.ts";
import type { Missed, Overlap, Policy } from "./rule.ts";
import { rhythmOf, type Rhythm } from "./rhythm.ts";
import { Slots } from "./slots.ts";
import { Zone } from "./zone.ts";

export interface ScheduleOptions {
  /** Durable identity. Default: the task's name; give one where two schedules are of one task. */
  readonly name?: string;
  /** Whose clocks a time of day means, as in "Europe/Berlin". Default UTC. An interval takes none. */
  readonly zone?: string;
  /**
   * What is done about slots that came while no worker ran, by more than 10 s. Default run-once: one run makes up for all of them, unless another is due just now.
   * run-all: each of them, at most the newest 1,000. drop: none.
   */
  readonly missed?: Missed;
  /** What a slot does while the run of one before it lives. Default allow: both run. skip: it is passed over. wait: it starts when that one has ended. */
  readonly overlap?: Overlap;
  /** Each slot's job is due up to so much later, by its id: always the same for the same slot, and spread over schedules. Default none. */
  readonly jitter?: Duration;
  /** The first instant that may be a slot; an interval counts from there. Default: an interval counts from 1970, in UTC. */
  readonly from?: Date;
  /** The last instant that may be a slot. */
  readonly to?: Date;
}
export interface Schedule {
  readonly kind: "schedule";
  readonly name: string;
}
/** A schedule as the broker holds it. */
export interface AnySchedule extends Schedule {
  readonly errand: Errand;
  readonly tasks: readonly AnyTask[];
  readonly policy: Policy;
}

const owner = "every";

/**
 * Enqueues an errand at every slot of a rhythm, once in the whole fleet, whichever workers run.
 *
 *     export const pruning = every("day at 03:00", prune.with({}), { zone: "Europe/Berlin" });
 *     export const polling = every("15m", poll.with({ feed: "prices" }), { overlap: "skip" });
 *     export const closing = every("0 18 * * 1-5", closeBooks.with({}), { zone: "America/New_York", missed: "run-all" });
 *
 * A rhythm is a length of time, a time of a day, or cron: minute, hour, day of month, month and day of week (six fields: seconds in front).
 * It is stored when a broker that has it first opens, and stays until it is removed. `job.slot` is the slot's instant.
 * Throws `rhythm-invalid`, `zone-unknown`, `option-unknown`, `option-invalid`, `name-invalid`, `definition-invalid`.
 */
export function every(rhythm: Rhythm, errand: Errand, options: ScheduleOptions = {}): Schedule {
  rhythmOf(rhythm, `${owner}'s rhythm`);
  anErrand(errand, `${owner}(…, errand)`);
  checkOptions(options, owner, scheduleChecks);
  checkZone(rhythm, options.zone, owner);
  const tasks = tasksOf(errand);
  const policy = policyOf(rhythm, options);
  checkPolicy(policy, owner);
  checkErrand(errand, policy);
  const name = checkName(options.name ?? errand.name, "the schedule");
  return Object.freeze({ kind: "schedule", name, errand, tasks, policy } satisfies AnySchedule);
}

export const scheduleChecks: Readonly<Record<keyof ScheduleOptions, (value: unknown, path: string) => void>> = {
  name: (value, path) => void checkName(value, path),
  zone: (value, path) => void Zone.of(value, path),
  missed: oneOf("drop", "run-once", "run-all"),
  overlap: oneOf("allow", "skip", "wait"),
  jitter: (value, path) => void durationMs(value as Duration, path),
  from: aDate,
  to: aDate,
};

/** Throws `option-invalid`: an interval goes by no clock. */
export function checkZone(rhythm: string, zone: string | undefined, of: string): void {
  if (zone === undefined || rhythmOf(rhythm, of).is !== "interval") return;
  throw new ErrandError(
    "option-invalid",
    `${of}.zone is "${zone}", but an interval of "${rhythm}" is the same everywhere; leave it out, or name a time of day, as in "day at 03:00"`,
    { details: { option: `${of}.zone` } },
  );
}

/** Throws where instants and rhythm leave nothing: `option-invalid`. */
export function checkPolicy(policy: Policy, of: string): void {
  const { from, to } = policy;
  if (from !== null && to !== null && from > to)
    throw new ErrandError("option-invalid", `${of}.from is ${iso(from)}, after to, ${iso(to)}; swap them, or leave one out`, {
      details: { option: `${of}.from` },
    });
  if (new Slots(policy, of).next((from ?? 0) - 1) === undefined)
    throw new ErrandError("option-invalid", `${of}: "${policy.rhythm}" has no slot from ${from === null ? "1970" : iso(from)} to ${iso(to ?? 0)}; widen them`, {
      details: { option: `${of}.to` },
    });
}

function policyOf(rhythm: string, options: ScheduleOptions): Policy {
  return {
    rhythm,
    zone: options.zone ?? "UTC",
    missed: options.missed ?? "run-once",
    overlap: options.overlap ?? "allow",
    jitterMs: options.jitter === undefined ? 0 : durationMs(options.jitter, "jitter"),
    from: options.from?.getTime() ?? null,
    to: options.to?.getTime() ?? null,
  };
}

/** What a slot decides must not be said twice. */
function checkErrand(errand: Errand, { overlap }: Policy): void {
  const parts = errand[madeByTaskWith];
  const given: Readonly<Record<string, unknown>> = { ...parts.options };
  for (const option of ["in", "at", "id", "after"])
    if (given[option] !== undefined)
      refuse(`${owner}(…, ${errand.name}.with(…, { ${option} }))`, given[option], `no ${option}: each slot has its own instant and id`);
  if (given["startBy"] instanceof Date)
    refuse(`${owner}(…, ${errand.name}.with(…, { startBy }))`, given["startBy"], 'a length of time, as in "10m", which counts from each slot');
  if (overlap === "allow") return;
  if (parts.task === undefined)
    throw new ErrandError(
      "definition-invalid",
      `every(…, ${errand.name}) cannot have overlap "${overlap}": only the job of one task can; let that job enqueue the ${errand.name}`,
    );
  if (overlap === "wait" && parts.task.policy.uniqueBy !== undefined)
    throw new ErrandError(
      "definition-invalid",
      `every(…, ${errand.name}) cannot have overlap "wait": uniqueBy of the task drops a second job rather than let it wait; use "skip", or leave uniqueBy out`,
    );
}

/** Of a batch or chain: of all that belongs to it. */
function tasksOf(errand: Errand): AnyTask[] {
  const parts = errand[madeByTaskWith];
  if (parts.task !== undefined) return [parts.task];
  return [...parts.members, ...parts.callbacks.map((callback) => callback.errand)].flatMap(tasksOf);
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}
