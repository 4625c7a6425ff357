/**
 * The breakers of a worker's tasks: read from the store where all processes share them, changed by whichever process knows something, by compare-and-set.
 * Nothing here ever fails a run or a claim: what the store does not answer now is asked again.
 */
import { at } from "../at.ts";
import { pageMax } from "../defaults.ts";
import { inWords } from "../duration.ts";
import type { Note } from "../engine.ts";
import { ErrandError } from "../errors.ts";
import type { StoreClock } from "../limits/storeClock.ts";
import type { Instant, Ms, Timer } from "../runtime.ts";
import type { Draft, Run } from "../worker/run.ts";
import type { WorkerParts } from "../worker/settings.ts";
import { Breaker } from "./breaker.ts";
import { breakerKey, breakerPrefix, stateIn, writesOf } from "./breakerNotes.ts";
import { sharedBreakers } from "./breakerPolicy.ts";
import { unknownState, type BreakerState } from "./breakerState.ts";
import { Experience } from "./experience.ts";
import { hasComeBack } from "./rampRate.ts";

export interface BreakersHear {
  /** The id this worker goes by. */
  process(): string;
  /** Something may start, or may not any more. */
  changed(): void;
}

const pagesMax = 10;
const looksMax = 3;
const lookAgainMs: Ms = 1_000;
const lookLeastMs: Ms = 10;

export class Breakers {
  readonly #parts: WorkerParts;
  readonly #clock: StoreClock;
  readonly #hears: BreakersHear;
  readonly #experience: Experience;
  readonly #byName: Map<string, Breaker> = new Map();
  readonly #byTask: Map<string, Breaker> = new Map();
  #timer: Timer | undefined;
  #areCalm = true;
  #isLooking = false;
  #isAsked = false;
  #isEnded = false;

  constructor(parts: WorkerParts, clock: StoreClock, hears: BreakersHear) {
    this.#parts = parts;
    this.#clock = clock;
    this.#hears = hears;
    this.#experience = parts.experience ?? new Experience();
    const { tasks } = parts.definitions;
    for (const policy of sharedBreakers(tasks.values()).values()) this.#byName.set(policy.name, new Breaker(policy, this.#experience.of(policy)));
    for (const { name, policy } of tasks.values()) {
      const breaker = policy.breaker && this.#byName.get(policy.breaker.name);
      if (breaker !== undefined) this.#byTask.set(name, breaker);
    }
  }

  /** The breaker that holds this task's starts now. */
  holding(task: string): Breaker | undefined {
    if (this.#areCalm) return undefined;
    const breaker = this.#byTask.get(task);
    return breaker === undefined || breaker.isHealthy ? undefined : breaker;
  }

  of(task: string): Breaker | undefined {
    return this.#byTask.get(task);
  }

  /** None of them has, or had lately, any trouble. */
  get areCalm(): boolean {
    return this.#areCalm;
  }

  /** How a run ended here. Skips, snoozes, refusals and hand-backs say nothing of what it depends on. */
  ended(run: Run, draft: Draft | undefined): void {
    const breaker = this.#byTask.get(run.claimed.task);
    const isGood = draft?.is === "completed" || run.isCommitted; // in the app's own transaction
    if (breaker === undefined || !(isGood || run.failure !== undefined)) return;
    const monotonic = this.#parts.runtime.monotonic();
    if (isGood) breaker.learned.add(monotonic);
    const told = { job: run.claimed.id, isGood, claimedAt: run.claimedAt, ranMs: monotonic - run.startedAt, reason: run.failure ?? "" };
    if (breaker.add(told, this.#clock.at(monotonic))) this.look();
    else if (breaker.state.is === "ramping") this.#arm();
  }

  /** Reads where they stand, and does what is to be done. */
  look(): void {
    this.#isAsked = true;
    if (this.#isLooking || this.#isEnded || this.#byName.size === 0) return;
    this.#isLooking = true;
    void this.#lookOnce().finally(() => (this.#isLooking = false));
  }

  /** As {@link look}, for a caller that needs to know first. Rejects where the store does not answer. */
  async read(): Promise<void> {
    if (this.#byName.size === 0) return;
    await this.#read();
    this.look();
  }

  end(): void {
    this.#isEnded = true;
    this.#timer?.cancel();
  }

  async #lookOnce(): Promise<void> {
    try {
      for (let looks = 0; this.#isAsked && looks < looksMax && !this.#isEnded; looks++) {
        this.#isAsked = false;
        await this.#act(await this.#read());
      }
    } catch (error) {
      this.#parts.log.debug({ err: error }, "the breakers could not be looked at; they are looked at again");
      this.#armIn(lookAgainMs);
      return;
    }
    if (this.#isAsked) this.#armIn(lookAgainMs);
    else this.#arm();
  }

  async #read(): Promise<Instant> {
    const { engine, runtime } = this.#parts;
    const notes = new Map<string, Note>();
    let after: string | undefined;
    let now = 0;
    for (let page = 0; page < pagesMax; page++) {
      const found = await engine.find({ of: "notes", prefix: breakerPrefix, limit: pageMax, ...(after !== undefined && { after }) }, at(runtime));
      for (const note of found.rows) notes.set(note.key, note);
      now = found.now;
      after = found.next;
      if (after === undefined) break;
    }
    this.#clock.heard(now);
    for (const breaker of this.#byName.values()) this.#took(breaker, notes.get(breakerKey(breaker.name)));
    return now;
  }

  #took(breaker: Breaker, note: Note | undefined): void {
    const version = note?.version ?? 0;
    if (version === breaker.version) return;
    breaker.take(note === undefined ? unknownState : stateIn(note), version);
    this.#calm();
  }

  async #act(now: Instant): Promise<void> {
    const changes: { readonly breaker: Breaker; readonly next: BreakerState }[] = [];
    const used = await this.#used();
    const process = this.#experience.tellerOr(this.#hears.process());
    for (const breaker of this.#byName.values()) {
      const next = breaker.decide(now, { process, monotonic: this.#parts.runtime.monotonic(), used: used.get(breaker) });
      if (next !== undefined) changes.push({ breaker, next });
    }
    if (changes.length === 0) return;
    const { engine, runtime } = this.#parts;
    const atoms = changes.map(({ breaker, next }) => ({ works: [], notes: writesOf(breaker.name, next, breaker.version) }));
    const answers = await engine.enqueue(atoms, at(runtime));
    for (const [index, { breaker, next }] of changes.entries()) {
      if (answers[index] instanceof ErrandError) this.#isAsked = true; // another process was there first
      else this.#changed(breaker, next);
    }
    this.#calm();
  }

  #calm(): void {
    this.#areCalm = [...this.#byName.values()].every(({ state }) => state.is === "healthy");
    this.#hears.changed();
  }

  /** Of the ramping ones that have come as far as they were before the trouble: which part of their rate is used. */
  async #used(): Promise<Map<Breaker, number>> {
    const { engine, runtime } = this.#parts;
    const ramped = [...this.#byName.values()].filter(({ state }) => state.is === "ramping" && hasComeBack(state));
    if (ramped.length === 0) return new Map();
    const { rows } = await engine.find({ of: "gates", names: ramped.map(({ gate }) => gate) }, at(runtime));
    return new Map(
      ramped.map((breaker) => {
        const row = rows.find(({ name, kind }) => kind === "limit" && name === breaker.gate);
        return [breaker, (row?.used ?? 0) / Math.max(1, row?.most ?? 1)];
      }),
    );
  }

  #changed(breaker: Breaker, next: BreakerState): void {
    const { log } = this.#parts;
    const { is, troubleAt, reason, since } = next;
    const before = breaker.state.is;
    breaker.take(next, breaker.version + 1);
    const subject = { breaker: breaker.name, state: is };
    if (is === before) return;
    if (is === "open" && (before === "healthy" || before === "draining"))
      log.warn(
        { ...subject, lastError: reason },
        `too many runs of ${breaker.name} fail, so its starts are held back until one succeeds; where failing is usual, raise breaker.failing in the task, or give breaker: false`,
      );
    else if (is === "draining") log.info(subject, `${breaker.name} has recovered after ${inWords(since - troubleAt)}; nothing is held back any more`);
    else log.debug(subject, `${breaker.name} is ${is}`);
  }

  #arm(): void {
    const now = this.#clock.now();
    const times = [...this.#byName.values()].flatMap(({ looksAt }) => looksAt ?? []);
    if (times.length > 0) this.#armIn(Math.max(lookLeastMs, Math.min(...times) - now));
  }

  #armIn(ms: Ms): void {
    this.#timer?.cancel();
    if (this.#isEnded) return;
    this.#timer = this.#parts.runtime.after(ms, () => this.look(), { background: true });
  }
}
