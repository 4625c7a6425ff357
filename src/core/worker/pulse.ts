/** The heartbeat of one worker, and the names it lives under: a process that the store gave up goes on as another. */
import { at } from "../at.ts";
import { maxBlockMs } from "../defaults.ts";
import type { Heard } from "../engine.ts";
import type { Beat, Instant } from "../runtime.ts";
import type { Contact } from "./contact.ts";
import type { Settings, WorkerParts } from "./settings.ts";

export type PulseParts = Pick<WorkerParts, "engine" | "runtime" | "log"> & { readonly settings: Pick<Settings, "leaseMs" | "beatEveryMs"> };

/**
 * "given up": the store took all back, since it did not hear from this process.
 * "another era": it was wiped, rolled back or promoted. What it still knows is held here, what it does not may be another's; it cannot be told which is which.
 */
export type Loss = "given up" | "another era";

export interface PulseHears {
  cancelled(ids: readonly string[]): void;
  /** All that was held is void. */
  lost(why: Loss): void;
  notesChanged(): void;
  /** The store's, with every beat. */
  era?(era: string): void;
  /** A beat was answered by all of the store: the lease is renewed, or there is nothing to renew; and whatever it told of the notes is told. */
  heard(): void;
}

export class Pulse {
  readonly #parts: PulseParts;
  readonly #contact: Contact;
  readonly #hears: PulseHears;
  #process: string;
  #beat: Beat | undefined;
  /** Beats of former processes, ending. */
  readonly #ending: Set<Promise<void>> = new Set();
  #era: string | undefined;
  #notesVersion: number | undefined;
  /** The store's time of the first claim that gave this process a job. */
  #heldSince: Instant | undefined;
  /** The store's time of the latest beat. */
  #heardAt: Instant = 0;

  constructor(parts: PulseParts, contact: Contact, hears: PulseHears) {
    this.#parts = parts;
    this.#contact = contact;
    this.#hears = hears;
    this.#process = parts.runtime.id();
  }

  get process(): string {
    return this.#process;
  }

  /** The store's time of the latest beat that it answered; 0: none yet. */
  get heardAt(): Instant {
    return this.#heardAt;
  }

  /** A claim gave this process jobs. */
  holds(now: Instant): void {
    this.#heldSince ??= now;
  }

  /** A claim without an answer may have. */
  mayHold(): void {
    this.#heldSince ??= this.#heardAt;
  }

  /** The store said in answer to a call that it had given `process` up. */
  lose(process: string): void {
    if (process === this.#process) this.#goOnAsAnother("given up");
  }

  start(): void {
    const { engine, runtime, settings } = this.#parts;
    const process = this.#process;
    const { leaseMs, beatEveryMs } = settings;
    this.#beat = runtime.startBeat({
      process,
      leaseMs,
      everyMs: beatEveryMs,
      maxBlockMs,
      source: engine.beatSource?.(),
      beat: async () => engine.beat(process, leaseMs, at(runtime)),
      heard: (heard) => process === this.#process && this.#take(heard),
      failed: (error) => process === this.#process && this.#contact.failed("beat", error),
    });
  }

  async stop(): Promise<void> {
    this.#end();
    await Promise.all(this.#ending);
  }

  #take(heard: Heard): void {
    this.#contact.reached("beat");
    this.#heardAt = heard.now;
    const isNewEra = this.#era !== undefined && heard.era !== this.#era;
    this.#era = heard.era;
    this.#hears.era?.(heard.era);
    // A store knows no process that holds nothing; a beat from before the first claim says nothing of what that claim gave.
    const isLost = heard.isLost && this.#heldSince !== undefined && this.#heldSince < heard.now;
    if (isLost || isNewEra) {
      // In another past as many notes may have been written, and others.
      this.#notesVersion = undefined;
      this.#goOnAsAnother(isNewEra ? "another era" : "given up");
      return;
    }
    if (heard.cancelled.length > 0) this.#hears.cancelled(heard.cancelled);
    if (heard.isPartial === true) return;
    if (heard.notesVersion !== this.#notesVersion) this.#hears.notesChanged();
    this.#notesVersion = heard.notesVersion;
    this.#hears.heard();
  }

  #goOnAsAnother(why: Loss): void {
    if (this.#beat === undefined) return;
    this.#end();
    this.#process = this.#parts.runtime.id();
    this.#heldSince = undefined;
    const what = why === "another era" ? "the store has another past than before" : "the store gave this worker up";
    this.#parts.log.info({ process: this.#process }, `${what}; it goes on as a new process`);
    this.start();
    this.#hears.lost(why);
  }

  #end(): void {
    const beat = this.#beat;
    this.#beat = undefined;
    if (beat === undefined) return;
    const ended = beat.stop().catch((error: unknown) => this.#parts.log.error({ err: error }, "the heartbeat did not end cleanly"));
    this.#ending.add(ended);
    void ended.finally(() => this.#ending.delete(ended));
  }
}
