/** What a task's function is handed: the run, without its machinery. */
import { followUpsMax } from "../defaults.ts";
import type { Engine, NewJob, NewWork } from "../engine.ts";
import { ErrandError } from "../errors.ts";
import type { Fact } from "../event.ts";
import type { EachOptions, Source } from "../long/each.ts";
import { LongJob, type LongParts } from "../long/longJob.ts";
import type { EachArguments } from "../long/longRun.ts";
import type { Step } from "../long/step.ts";
import { jobDiedName } from "../notes.ts";
import type { Planner } from "../plan.ts";
import type { Runtime } from "../runtime.ts";
import { listOf, type SyncTransaction, type Transaction } from "../scope.ts";
import type { Errand, Job, Predecessor } from "../task.ts";
import type { Json, OneOrMany } from "../typing.ts";
import { before, type Find } from "./before.ts";
import { commit } from "./commit.ts";
import type { Run } from "./run.ts";

export interface RunningJobParts {
  readonly planner: Planner;
  readonly runtime: Runtime;
  readonly long: LongParts;
  readonly find: Find;
  /** A child process has none. */
  readonly engine?: Engine;
}

export class RunningJob implements Job {
  readonly #run: Run;
  readonly #input: unknown;
  readonly #parts: RunningJobParts;
  readonly #long: LongJob;

  constructor(run: Run, input: unknown, parts: RunningJobParts) {
    this.#run = run;
    this.#input = input;
    this.#parts = parts;
    this.#long = new LongJob(run, parts.long);
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

  get slot(): Date | undefined {
    const { slotAt } = this.#run.claimed;
    return slotAt === undefined ? undefined : new Date(slotAt);
  }

  get signal(): AbortSignal {
    return this.#run.signal;
  }

  enqueue(errands: OneOrMany<Errand>): void {
    this.#follow(this.#planned(errands));
  }

  publish(facts: OneOrMany<Fact>): void {
    this.#follow(listOf(facts, "publish").map((fact) => this.#parts.planner.eventNow(fact)));
  }

  add(errands: OneOrMany<Errand>): void {
    const { join } = this.#run.claimed;
    if (join === undefined)
      throw new ErrandError(
        "batch-missing",
        `job ${this.id} is in no batch or chain that something could be added to; use job.enqueue, or enqueue it in a batch`,
        {
          details: { job: this.id },
        },
      );
    this.#follow(this.#planned(errands).map((work) => (work.kind === "event" || work.join !== undefined ? work : { ...work, join })));
  }

  before(): AsyncIterable<Predecessor> {
    return before(this.#run, this.#parts.find);
  }

  commit<T extends Transaction>(tx: T): T extends SyncTransaction ? void : Promise<void> {
    const { engine, runtime } = this.#parts;
    if (engine === undefined) throw needsWorker(this.#run);
    return commit(this.#run, this.#input, tx, { engine, runtime }) as T extends SyncTransaction ? void : Promise<void>;
  }

  get checkpoint(): Json {
    return this.#long.checkpoint as Json;
  }

  save(checkpoint: Json): Promise<void> {
    return this.#long.save(checkpoint);
  }

  each<T, Place = number>(source: Source<T, Place>, ...options: EachArguments<T, Place>): AsyncIterable<T> {
    return this.#long.each(source as Source<T, unknown>, (options[0] ?? {}) as EachOptions<T, unknown>);
  }

  step<T>(name: string, fn: Step<T>): Promise<T> {
    return this.#long.step(name, fn);
  }

  #planned(errands: OneOrMany<Errand>): readonly NewWork[] {
    return this.#parts.planner.planNow(listOf(errands, "enqueue")).works.map((work) => (work.kind === "job" ? this.#ofAlert(work) : work));
  }

  /** What an alert enqueues is part of it: its death is announced to nobody, or alerts would go round for ever. */
  #ofAlert(job: NewJob): NewJob {
    const { from } = this.#run.claimed;
    return from?.event === jobDiedName ? { ...job, from: { ...from, isHop: false } } : job;
  }

  #follow(works: readonly NewWork[]): void {
    const run = this.#run;
    if (run.isCommitted) throw committed(this.id);
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

/** In a child process, which does not reach the store. */
function needsWorker(run: Run): ErrandError {
  const { id } = run.claimed;
  run.needsWorker = true;
  return new ErrandError(
    "worker-stopping",
    `job ${id} commits in your transaction, which it cannot do from a child process; it is handed back, and runs alone in its worker`,
    {
      details: { job: id },
    },
  );
}

function committed(id: string): ErrandError {
  return new ErrandError(
    "job-committed",
    `job ${id} was completed by job.commit, so nothing more can be stored with it; hand over what follows before the commit`,
    {
      details: { job: id },
    },
  );
}
