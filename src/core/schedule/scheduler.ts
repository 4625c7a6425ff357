/**
 * A worker's share in all schedules of the store: at each slot it enqueues the slot's job together with the moved cursor, in one atom that stands only if nobody
 * else was faster. It wakes when the next slot is due by the store's clock, and reads the schedules anew each time.
 */
import { at } from "../at.ts";
import { enqueueMax, jitter, reconnectUpToMs, schedulesReadEveryMs } from "../defaults.ts";
import type { Atom, Engine, Enqueued } from "../engine.ts";
import { ErrandError } from "../errors.ts";
import type { Instant, Logger, Ms, Runtime, Timer } from "../runtime.ts";
import { dueSlots, type Due } from "./due.ts";
import { noteOf, readSchedules, type ReadSchedule } from "./stored.ts";
import { ruleOf, worksOf, type Rule } from "./rule.ts";
import { Slots } from "./slots.ts";

export interface SchedulerParts {
  readonly engine: Engine;
  readonly runtime: Runtime;
  readonly log: Logger;
}

/** After somebody else was faster: he may have edited it rather than enqueued the slot. */
const afterConflictMs: Ms = 500;
const worksPerCall = 4_000;

/** A version of a schedule, read and understood. */
interface Known {
  readonly read: ReadSchedule;
  readonly rule: Rule;
  /** Undefined: nobody can tell its slots here. */
  readonly slots: Slots | undefined;
  /** The first after its cursor. */
  readonly next: Instant | undefined;
}
interface Turn {
  readonly known: Known;
  readonly due: Due;
  readonly atom: Atom;
}

export class Scheduler {
  readonly #parts: SchedulerParts;
  readonly #enqueued: () => void;
  #known: Map<string, Known> = new Map();
  /** Told of in the log. */
  readonly #refusals: WeakSet<Known> = new WeakSet();
  #timer: Timer | undefined;
  #tick: Promise<void> | undefined;
  #isAskedAgain = false;
  #hasTicked = false;
  #isFailing = false;
  #isStopped = false;

  /** `enqueued`: jobs may be ready. */
  constructor(parts: SchedulerParts, enqueued: () => void) {
    this.#parts = parts;
    this.#enqueued = enqueued;
  }

  /** It has looked, and waits for the next slot. */
  get isIdle(): boolean {
    return this.#isStopped || (this.#hasTicked && this.#tick === undefined);
  }

  /** Looks now: at the start, and when notes have changed. */
  wake(): void {
    if (this.#isStopped) return;
    if (this.#tick !== undefined) {
      this.#isAskedAgain = true;
      return;
    }
    this.#timer?.cancel();
    this.#tick = this.#look().finally(() => this.#looked());
  }

  /** Resolves when no look is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#tick;
  }

  #looked(): void {
    this.#tick = undefined;
    this.#hasTicked = true;
    if (!this.#isAskedAgain) return;
    this.#isAskedAgain = false;
    this.wake();
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    let waitMs: Ms;
    try {
      waitMs = await this.#pass();
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing)
        this.#parts.log.error({ err: error }, "the schedules could not be looked at; it is tried again, and what is missed meanwhile is made up for");
      this.#isFailing = true;
      waitMs = reconnectUpToMs;
    }
    if (!this.#isStopped) this.#timer = this.#parts.runtime.after(waitMs, () => this.wake());
  }

  /** Answers how long until the next look. */
  async #pass(): Promise<Ms> {
    const { runtime } = this.#parts;
    const { schedules, isPaused, now } = await readSchedules(this.#parts);
    const readAt = runtime.monotonic();
    this.#understand(schedules);
    const active = [...this.#known.values()].filter(({ read }) => !isPaused(read.stored.name));
    const turns = active.flatMap((known) => turnOf(known, now) ?? []);
    const wasBeaten = await this.#enqueue(turns);
    const nexts = new Map(active.map((known) => [known, known.next]));
    for (const { known, due } of turns) nexts.set(known, known.slots?.next(due.cursor));
    const next = Math.min(...[...nexts.values()].map((instant) => instant ?? Number.POSITIVE_INFINITY));
    // By the store's clock, which need not be this process's.
    const nextMs = next - (now + (runtime.monotonic() - readAt));
    if (turns.some(({ due }) => due.hasMore) && !wasBeaten) this.#isAskedAgain = true;
    const idleMs = schedulesReadEveryMs * (1 + jitter * runtime.random());
    return Math.min(Math.max(0, nextMs), wasBeaten ? afterConflictMs : idleMs);
  }

  /** What has not changed since the last look is not read again. */
  #understand(schedules: readonly ReadSchedule[]): void {
    this.#known = new Map(
      schedules.map((read) => {
        const { name } = read.stored;
        const known = this.#known.get(name);
        return [name, known?.read.version === read.version && known.read.stored.cursor === read.stored.cursor ? known : this.#knownOf(read)];
      }),
    );
  }

  #knownOf(read: ReadSchedule): Known {
    const rule = ruleOf(read.stored);
    try {
      const slots = new Slots(rule, `schedule ${read.stored.name}`);
      return { read, rule, slots, next: slots.next(read.stored.cursor) };
    } catch (error) {
      this.#parts.log.error({ err: error, schedule: read.stored.name }, "this worker cannot tell the schedule's slots, and leaves it to others");
      return { read, rule, slots: undefined, next: undefined };
    }
  }

  /** True: somebody else was faster with one of them. */
  async #enqueue(turns: readonly Turn[]): Promise<boolean> {
    let wasBeaten = false;
    for (const some of inCalls(turns)) {
      const answers = await this.#parts.engine.enqueue(
        some.map(({ atom }) => atom),
        at(this.#parts.runtime),
      );
      some.forEach((turn, index) => {
        const answer = answers[index];
        if (answer instanceof ErrandError) wasBeaten = this.#refused(turn, answer) || wasBeaten;
        else this.#stored(turn, answer ?? []);
      });
      this.#enqueued();
    }
    return wasBeaten;
  }

  #refused({ known }: Turn, error: ErrandError): boolean {
    if (error.code !== "note-conflict" && !this.#refusals.has(known))
      this.#parts.log.error(
        { err: error, schedule: known.read.stored.name },
        "a slot of the schedule was refused; it is tried again until it is edited or removed",
      );
    this.#refusals.add(known);
    return true;
  }

  #stored({ known, due }: Turn, answers: readonly Enqueued[]): void {
    const { log } = this.#parts;
    const schedule = known.read.stored.name;
    if (due.isPassedOver)
      log.warn(
        { schedule, missed: known.rule.missed, until: new Date(due.cursor).toISOString() },
        `slots were missed while no worker ran, and some are passed over: missed is "${known.rule.missed}"`,
      );
    if (!(log.isLevelEnabled?.("debug") ?? true)) return;
    due.slots.forEach((slot, index) => {
      const isSkipped = "job" in known.rule.work && answers[index]?.isDuplicate === true;
      log.debug(
        { schedule, slot: new Date(slot).toISOString(), ...(isSkipped && { behind: answers[index]?.id }) },
        isSkipped ? "the slot joins a job that is there" : "scheduling a slot",
      );
    });
  }
}

function turnOf(known: Known, now: Instant): Turn | undefined {
  const { read, rule, slots, next } = known;
  if (slots === undefined || next === undefined || next > now) return undefined;
  const most = Math.max(1, Math.floor(enqueueMax / ("job" in rule.work ? 1 : rule.work.works.length)));
  const due = dueSlots(slots, { cursor: read.stored.cursor, now, missed: rule.missed, most });
  if (due === undefined) return undefined;
  const lastSlot = due.slots.at(-1);
  const stored = { ...read.stored, cursor: due.cursor, ...(lastSlot !== undefined && { lastSlot }) };
  const works = due.slots.flatMap((slot) => worksOf(read.stored.name, rule, slot));
  return { known, due, atom: { works, notes: [noteOf(stored, read.version)] } };
}

/** A commit is shared by so many, and others wait no longer behind it. */
function inCalls(turns: readonly Turn[]): Turn[][] {
  const calls: Turn[][] = [];
  let works = Number.POSITIVE_INFINITY;
  for (const turn of turns) {
    works += turn.atom.works.length;
    if (works > worksPerCall) {
      calls.push([]);
      works = turn.atom.works.length;
    }
    calls.at(-1)?.push(turn);
  }
  return calls;
}
