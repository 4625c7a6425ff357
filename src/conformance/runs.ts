/** What ran when and where, as the tasks of a world saw it. */
import type { Instant } from "../core/runtime.ts";
import type { Job } from "../core/task.ts";
import { ErrandError } from "../core/errors.ts";

export interface Run {
  readonly process: string;
  readonly task: string;
  readonly input: unknown;
  readonly id: string;
  readonly attempt: number;
  readonly fence: number;
  /** By the shared clock. */
  readonly startedAt: Instant;
  endedAt: Instant | undefined;
  /** Undefined: it has not ended, or its process died under it. */
  end: "returned" | "threw" | undefined;
  abortedAt: Instant | undefined;
  /** The code of the error its signal was aborted with. */
  abortedBy: string | undefined;
}

export class Runs {
  readonly all: Run[] = [];
  readonly #now: () => Instant;

  constructor(now: () => Instant) {
    this.#now = now;
  }

  begin(process: string, task: string, input: unknown, job: Job): Run {
    const { id, attempt, fence, signal } = job;
    const run: Run = {
      process,
      task,
      input,
      id,
      attempt,
      fence,
      startedAt: this.#now(),
      endedAt: undefined,
      end: undefined,
      abortedAt: undefined,
      abortedBy: undefined,
    };
    this.all.push(run);
    if (signal.aborted) this.#abort(run, signal);
    else signal.addEventListener("abort", () => this.#abort(run, signal), { once: true });
    return run;
  }

  end(run: Run, as: "returned" | "threw"): void {
    run.end = as;
    run.endedAt = this.#now();
  }

  #abort(run: Run, signal: AbortSignal): void {
    run.abortedAt = this.#now();
    run.abortedBy = ErrandError.is(signal.reason) ? signal.reason.code : String(signal.reason);
  }
}
