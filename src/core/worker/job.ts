/** What a task's function is handed: the run, without its machinery. */
import { followUpsMax } from "../defaults.ts";
import type { NewJob, NewWork } from "../engine.ts";
import { ErrandError } from "../errors.ts";
import type { Fact } from "../event.ts";
import { jobDiedName } from "../notes.ts";
import type { Planner } from "../plan.ts";
import type { Errand, Job } from "../task.ts";
import type { OneOrMany } from "../typing.ts";
import type { Run } from "./run.ts";

export class RunningJob implements Job {
  readonly #run: Run;
  readonly #planner: Planner;

  constructor(run: Run, planner: Planner) {
    this.#run = run;
    this.#planner = planner;
  }

  get id(): string {
    return this.#run.claimed.id;
  }

  get attempt(): number {
    return this.#run.claimed.attempt;
  }

  get fence(): number {
    return this.#run.fence;
  }

  get enqueuedAt(): Date {
    return new Date(this.#run.claimed.enqueuedAt);
  }

  get signal(): AbortSignal {
    return this.#run.signal;
  }

  enqueue(errands: OneOrMany<Errand>): void {
    this.#follow(listOf(errands).map((errand) => this.#ofAlert(this.#planner.jobNow(errand))));
  }

  publish(facts: OneOrMany<Fact>): void {
    this.#follow(listOf(facts).map((fact) => this.#planner.eventNow(fact)));
  }

  /** What an alert enqueues is part of it: its death is announced to nobody, or alerts would go round for ever. */
  #ofAlert(job: NewJob): NewJob {
    const { from } = this.#run.claimed;
    return from?.event === jobDiedName ? { ...job, from: { ...from, isHop: false } } : job;
  }

  #follow(works: readonly NewWork[]): void {
    const run = this.#run;
    if (run.isOver || run.isLost) {
      throw new ErrandError(
        "lease-lost",
        `job ${this.id} has ended here, so nothing more can be stored with its outcome; await everything that its run starts`,
        { details: { job: this.id } },
      );
    }
    run.follow ??= [];
    if (run.follow.length + works.length > followUpsMax) {
      throw new ErrandError("enqueue-too-many", `job ${this.id} follows up with more than ${followUpsMax} items; enqueue one job that enqueues the rest`, {
        details: { job: this.id, most: followUpsMax },
      });
    }
    run.follow.push(...works);
  }
}

function listOf<T>(values: OneOrMany<T>): readonly T[] {
  return (Array.isArray(values) ? values : [values]) as readonly T[];
}
