/** The schedules of a store, for those who look at them and change them. */
import { at } from "../at.ts";
import { backfillMax, delayMaxMs, enqueueMax, pageMax, rememberMs } from "../defaults.ts";
import type { Definitions } from "../definitions.ts";
import type { NewWork, NoteWrite, Query } from "../engine.ts";
import { ErrandError } from "../errors.ts";
import { checkName, didYouMean } from "../names.ts";
import { pausedSchedule, scheduleKey } from "../notes.ts";
import { aBoolean, aDate, aWholeNumber, checkOptions } from "../options.ts";
import { pauseValue, reasonOfPause } from "../pauseNote.ts";
import type { Planner } from "../plan.ts";
import type { Instant } from "../runtime.ts";
import { patched, patchOf, type ScheduleEdit } from "./edit.ts";
import { changeSchedule, readSchedule, readSchedules, storeNow, type ReadSchedule, type Store } from "./stored.ts";
import { moved } from "./register.ts";
import { ruleOf, slotId, worksOf, type Rule } from "./rule.ts";
import { Slots } from "./slots.ts";
import { viewOf, type ScheduleView } from "./view.ts";

/** One schedule, by its name. Every method throws `schedule-unknown` where the store has none of that name. */
export interface ScheduleHandle {
  readonly name: string;
  view(): Promise<ScheduleView>;
  /** Its next slots, as of now: 10, or up to 1,000. */
  next(count?: number): Promise<readonly Date[]>;
  /**
   * Changes it for all processes, and through restarts and deploys, until its definition changes in the very same point. `null`: as defined again.
   * Slots that other instants would have had before are not missed, and none at or before the last one is enqueued again.
   *
   *     await work.schedule("prune").edit({ rhythm: "day at 04:00" });
   *
   * Throws `rhythm-invalid`, `zone-unknown`, `option-unknown`, `option-invalid`, `definition-invalid`; `task-unknown` for the input of a task that is not defined here.
   */
  edit(change: ScheduleEdit): Promise<ScheduleView>;
  /**
   * Enqueues the slots from one instant to another, both included and none in the future, by the rhythm as of now. At most 10,000. A slot whose job is stored is not
   * enqueued again, nor one of an earlier backfill within 7 days. Slots that may not overlap run one after the other.
   * `dryRun`: only counts them. Throws `option-invalid`, `enqueue-too-many`.
   */
  backfill(from: Date, to: Date, options?: { readonly dryRun?: boolean }): Promise<Backfilled>;
  /** Retires it: what it has enqueued stays. A broker that has its definition registers it again when it opens. */
  remove(): Promise<void>;
}
export interface Backfilled {
  readonly slots: number;
  readonly enqueued: number;
  /** Stored already, or joined to a job that is there by the task's unique key. */
  readonly known: number;
}

export class Schedules {
  readonly #store: Store;
  readonly #definitions: Definitions;
  readonly #planner: Planner;
  readonly #open: () => Promise<void>;

  constructor(parts: Store & { readonly definitions: Definitions; readonly planner: Planner; readonly open: () => Promise<void> }) {
    this.#store = parts;
    this.#definitions = parts.definitions;
    this.#planner = parts.planner;
    this.#open = parts.open;
  }

  async list(isWanted: (name: string) => boolean): Promise<ScheduleView[]> {
    await this.#open();
    const { schedules, pauseOf, now } = await readSchedules(this.#store);
    return schedules.filter(({ stored }) => isWanted(stored.name)).map((read) => viewOf(read, pauseOf(read.stored.name), now));
  }

  /** Throws `name-invalid`. */
  handle(name: string): ScheduleHandle {
    checkName(name, "the schedule");
    return {
      name,
      view: () => this.#view(name),
      next: (count = 10) => this.#next(name, count),
      edit: (change) => this.#edit(name, change),
      backfill: (from, to, options = {}) => this.#backfill(name, { from, to }, options),
      remove: () => this.#remove(name),
    };
  }

  /** Throws `schedule-unknown`. */
  async pause(name: string, reason: string): Promise<void> {
    await this.#read(name);
    await this.#write([{ key: pausedSchedule(name), value: pauseValue(reason) }]);
  }

  /** What came meanwhile is not missed. Throws `schedule-unknown`, unless there is still a pause of it. */
  async resume(name: string): Promise<void> {
    await this.#open();
    const key = pausedSchedule(name);
    const pause = await this.#store.engine.readNote(key, at(this.#store.runtime));
    if (pause === undefined) return void (await this.#read(name));
    const goOn: NoteWrite = { key, value: undefined };
    const found = await changeSchedule(this.#store, name, (read, now) => {
      if (read === undefined) return undefined;
      return { stored: { ...read.stored, cursor: Math.max(read.stored.cursor, now) }, atom: { notes: [goOn] } };
    });
    if (found === undefined) await this.#write([goOn]);
  }

  async #view(name: string): Promise<ScheduleView> {
    const read = await this.#read(name);
    const pause = await this.#store.engine.readNote(pausedSchedule(name), at(this.#store.runtime));
    return viewOf(read, pause && reasonOfPause(pause.value), await storeNow(this.#store));
  }

  async #next(name: string, count: number): Promise<Date[]> {
    aWholeNumber(1, pageMax)(count, "next(count)");
    const { stored } = await this.#read(name);
    const now = await storeNow(this.#store);
    const slots = new Slots(ruleOf(stored), `schedule ${name}`);
    return slots.within(Math.max(now, stored.cursor), now + farAheadMs, count).map((slot) => new Date(slot));
  }

  async #edit(name: string, change: ScheduleEdit): Promise<ScheduleView> {
    const { stored } = await this.#read(name);
    const patch = await patchOf({ definitions: this.#definitions, planner: this.#planner }, change, stored);
    await changeSchedule(this.#store, name, (read, now) => {
      if (read === undefined) throw unknown(name);
      return { stored: moved(patched(read.stored, patch), read.stored, now) };
    });
    return this.#view(name);
  }

  async #backfill(name: string, { from, to }: { readonly from: Date; readonly to: Date }, options: { readonly dryRun?: boolean }): Promise<Backfilled> {
    checkOptions(options, "backfill", { dryRun: aBoolean });
    aDate(from, "backfill(from)");
    aDate(to, "backfill(…, to)");
    if (from > to)
      throw new ErrandError("option-invalid", `backfill: from is ${from.toISOString()}, after to, ${to.toISOString()}; swap them`, {
        details: { option: "from" },
      });
    const { stored } = await this.#read(name);
    const until = Math.min(to.getTime(), await storeNow(this.#store));
    const rule = ruleOf(stored);
    const slots = new Slots(rule, `schedule ${name}`).within(from.getTime() - 1, until, backfillMax + 1);
    if (slots.length > backfillMax)
      throw new ErrandError(
        "enqueue-too-many",
        `backfill of ${name}: more than ${backfillMax} slots from ${from.toISOString()} to ${to.toISOString()}; fill a shorter time`,
        {
          details: { most: backfillMax },
        },
      );
    if (options.dryRun === true) return this.#foretold(name, rule, slots);
    const overlap = rule.overlap === "skip" ? "wait" : rule.overlap;
    return this.#fill(slots.map((slot) => worksOf(name, rule, slot, { rememberMs, overlap, jitterMs: 0 })));
  }

  async #foretold(name: string, { work }: Rule, slots: readonly Instant[]): Promise<Backfilled> {
    let known = 0;
    for (let start = 0; start < slots.length; start += pageMax) {
      const ids = slots.slice(start, start + pageMax).map((slot) => slotId(name, slot));
      const query = "job" in work ? ({ of: "jobs", ids } as const) : ({ of: "joins", ids } as const);
      known += (await this.#store.engine.find<Query>(query, at(this.#store.runtime))).rows.length;
    }
    return { slots: slots.length, enqueued: slots.length - known, known };
  }

  async #fill(slots: readonly (readonly NewWork[])[]): Promise<Backfilled> {
    let enqueued = 0;
    for (const some of inAtoms(slots)) {
      const [answer] = await this.#store.engine.enqueue([{ works: some.flat() }], at(this.#store.runtime));
      if (answer instanceof ErrandError) throw answer;
      // The first work of each slot is its job, or its batch.
      let first = 0;
      for (const works of some) {
        if (answer?.[first]?.isDuplicate === false) enqueued++;
        first += works.length;
      }
    }
    return { slots: slots.length, enqueued, known: slots.length - enqueued };
  }

  async #remove(name: string): Promise<void> {
    await this.#read(name);
    await this.#write([
      { key: scheduleKey(name), value: undefined },
      { key: pausedSchedule(name), value: undefined },
    ]);
  }

  async #read(name: string): Promise<ReadSchedule> {
    await this.#open();
    const found = await readSchedule(this.#store, name);
    if (found !== undefined) return found;
    const { schedules } = await readSchedules(this.#store);
    throw unknown(
      name,
      schedules.map(({ stored }) => stored.name),
    );
  }

  async #write(notes: readonly NoteWrite[]): Promise<void> {
    const [answer] = await this.#store.engine.enqueue([{ works: [], notes }], at(this.#store.runtime));
    if (answer instanceof ErrandError) throw answer;
  }
}

/** Further than any errand may be delayed, and more than a leap year's day takes to come. */
const farAheadMs = 10 * delayMaxMs;

function unknown(name: string, known: readonly string[] = []): ErrandError {
  const guess = didYouMean(name, known) || "; open a broker that defines it, and look at schedules()";
  return new ErrandError("schedule-unknown", `this store has no schedule "${name}"${guess}`, { details: { schedule: name } });
}

function inAtoms(slots: readonly (readonly NewWork[])[]): (readonly NewWork[])[][] {
  const atoms: (readonly NewWork[])[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const works of slots) {
    size += works.length;
    if (size > enqueueMax) {
      atoms.push([]);
      size = works.length;
    }
    atoms.at(-1)?.push(works);
  }
  return atoms;
}
