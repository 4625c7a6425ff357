/** A beat's rhythm: one at a time, one more after each, sooner after a failure, and none that is waited for without end. */
import type { Heard } from "../core/engine.ts";
import type { Ms, Runtime, Timer } from "../core/runtime.ts";

export interface RhythmPlan {
  readonly everyMs: Ms;
  /** A beat without an answer for so long has failed. */
  readonly limitMs: Ms;
  /** Undefined: nothing was renewed, on purpose. */
  readonly beat: () => Promise<Heard | undefined>;
  readonly heard: (heard: Heard) => void;
  readonly failed: (error: Error) => void;
}

type Clock = Pick<Runtime, "after" | "monotonic">;

const failuresPerEvery = 4;

/** Beats at once, then every `everyMs`. */
export class Rhythm {
  readonly #plan: RhythmPlan;
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #turn: Promise<void> | undefined;
  #isStopped = false;

  constructor(plan: RhythmPlan, clock: Clock) {
    this.#plan = plan;
    this.#clock = clock;
    this.#next(0);
  }

  /** Resolves when no beat is under way any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#turn;
  }

  #next(ms: Ms): void {
    const turn = (): void => {
      this.#turn = this.#take();
    };
    this.#timer = this.#clock.after(ms, turn, { background: true });
  }

  async #take(): Promise<void> {
    const startedAt = this.#clock.monotonic();
    const isGood = await this.#beat();
    if (this.#isStopped) return;
    const everyMs = isGood ? this.#plan.everyMs : this.#plan.everyMs / failuresPerEvery;
    this.#next(Math.max(0, everyMs - (this.#clock.monotonic() - startedAt)));
  }

  async #beat(): Promise<boolean> {
    try {
      const heard = await this.#withinLimit(this.#plan.beat());
      if (heard !== undefined && !this.#isStopped) this.#plan.heard(heard);
      return heard?.isPartial !== true;
    } catch (error) {
      if (!this.#isStopped) this.#plan.failed(error instanceof Error ? error : new Error(String(error), { cause: error }));
      return false;
    }
  }

  #withinLimit<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const { limitMs } = this.#plan;
      const timer = this.#clock.after(limitMs, () => reject(new Error(`no answer to a heartbeat within ${limitMs} ms`)), { background: true });
      const cancel = (): void => timer.cancel();
      answer.then(resolve, reject);
      answer.then(cancel, cancel);
    });
  }
}
