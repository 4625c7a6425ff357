/** One timer for the timeouts of all running jobs: an AbortSignal.timeout for each would cost more than a small job does. */
import type { Ms, Runtime, Timer } from "../runtime.ts";
import type { Run } from "./run.ts";

const waitMax: Ms = 3_600_000;

export class Deadlines {
  readonly #runtime: Runtime;
  readonly #running: ReadonlySet<Run>;
  readonly #due: (run: Run, now: number) => void;
  #timer: Timer | undefined;
  #armedFor: number = Number.POSITIVE_INFINITY;

  /** `due` is called at each run's `dueAt`, and must move it on or end the run. */
  constructor(runtime: Runtime, running: ReadonlySet<Run>, due: (run: Run, now: number) => void) {
    this.#runtime = runtime;
    this.#running = running;
    this.#due = due;
  }

  watch(run: Run, now: number): void {
    if (run.dueAt < this.#armedFor) this.#arm(run.dueAt, now);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  #arm(dueAt: number, now: number): void {
    this.#timer?.cancel();
    this.#armedFor = dueAt;
    this.#timer = this.#runtime.after(Math.min(waitMax, Math.max(1, Math.ceil(dueAt - now))), () => this.#look(), { background: true });
  }

  /** The timer is never moved back when a run ends, so it fires once for nothing rather than being set for each job. */
  #look(): void {
    const now = this.#runtime.monotonic();
    const due = [...this.#running].filter((run) => run.dueAt <= now).sort((a, b) => a.dueAt - b.dueAt);
    for (const run of due) this.#due(run, now);
    let next = Number.POSITIVE_INFINITY;
    for (const run of this.#running) next = Math.min(next, run.dueAt);
    this.#armedFor = Number.POSITIVE_INFINITY;
    if (next < Number.POSITIVE_INFINITY) this.#arm(next, now);
  }
}
