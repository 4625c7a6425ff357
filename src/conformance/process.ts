/** One process of a world: a broker of its own on the shared store, which can be stopped dead, held still and cut off. */
import { StoreBroker } from "../core/broker.ts";
import type { Broker } from "../core/brokerFace.ts";
import type { DefinitionModule } from "../core/definitions.ts";
import type { Engine, Maybe } from "../core/engine.ts";
import type { Logger, Ms, Runtime } from "../core/runtime.ts";
import { madeByTaskWith, type AnyTask, type Errand, type Job } from "../core/task.ts";
import type { AnyReconciliation } from "../core/reconcile/reconcile.ts";
import type { AnySchedule } from "../core/schedule/every.ts";
import type { AnySubscription } from "../core/when.ts";
import type { RunningWorker, WorkerOptions } from "../core/worker/worker.ts";
import { Gate } from "./gate.ts";
import { ProcessEngine } from "./processEngine.ts";
import { ProcessRuntime } from "./processRuntime.ts";
import type { Runs } from "./runs.ts";

export interface ProcessParts {
  readonly name: string;
  readonly engine: Engine;
  readonly clock: Runtime;
  readonly runs: Runs;
  readonly log: Logger;
  readonly clockOffsetMs: Ms;
  readonly latencyMs: Ms;
  readonly definitions: DefinitionModule;
}

export class Process {
  readonly name: string;
  readonly gate: Gate = new Gate();
  readonly broker: Broker;
  /** The store as this process reaches it, for laws about the port itself. */
  readonly port: Engine;
  readonly #runs: Runs;
  readonly #engine: Engine;
  readonly #runtime: ProcessRuntime;
  #worker: RunningWorker | undefined;

  constructor(parts: ProcessParts) {
    this.name = parts.name;
    this.#runs = parts.runs;
    this.#engine = parts.engine;
    this.#runtime = new ProcessRuntime(parts.clock, this.gate, { clockOffsetMs: parts.clockOffsetMs, log: parts.log });
    const onItsWay = (): Promise<void> => new Promise((resolve) => parts.clock.after(parts.latencyMs, resolve));
    this.port = new ProcessEngine(parts.engine, this.gate, () => this.#runtime.storeTime(), parts.latencyMs > 0 ? onItsWay : undefined);
    this.broker = new StoreBroker({ engine: this.port, runtime: this.#runtime, definitions: [this.#recording(parts.definitions)] });
  }

  async start(options: WorkerOptions = {}): Promise<void> {
    this.#worker = await this.broker.start(options);
  }

  /** Gracefully. Time must go on meanwhile: see `World.stop`. */
  async stop(): Promise<void> {
    await this.#worker?.stop();
  }

  /** Stops dead, as by kill -9: nothing of it is heard again. */
  crash(): void {
    this.gate.crash();
    this.#runtime.stopBeats();
  }

  /** Ends it at the end of its world, in whatever state it is. */
  async dispose(): Promise<void> {
    if (this.gate.isCrashed) return this.#engine.close();
    this.gate.reach = "reached";
    this.gate.resume();
    await this.broker.close();
  }

  #recording(definitions: DefinitionModule): DefinitionModule {
    if (isNoModule(definitions)) return definitions; // the broker is to refuse it
    const tasks = new Map<unknown, AnyTask>();
    const recordingTask = (task: AnyTask): AnyTask => {
      const known = tasks.get(task) ?? Object.freeze({ ...task, run: (input: unknown, job: Job, current: unknown) => this.#run(task, input, job, current) });
      tasks.set(task, known);
      return known;
    };
    const recorded = Object.entries(definitions).map(([name, value]) => {
      const kind = (value as { readonly kind?: unknown } | undefined)?.kind;
      if (kind === "task") return [name, recordingTask(value as AnyTask)];
      if (kind === "schedule") return [name, recordingSchedule(value as AnySchedule, recordingTask)];
      if (kind === "reconciliation") return [name, { ...(value as AnyReconciliation), task: recordingTask((value as AnyReconciliation).task) }];
      if (kind === "subscription") return [name, { ...(value as AnySubscription), task: recordingTask((value as AnySubscription).task) }];
      return [name, value];
    });
    return Object.fromEntries(recorded) as DefinitionModule;
  }

  async #run(task: AnyTask, input: unknown, job: Job, current: unknown): Promise<unknown> {
    const run = this.#runs.begin(this.name, task.name, input, job);
    const body = (async () => task.run(input, job, current))();
    const answer: Maybe<PromiseSettledResult<unknown>[]> = Promise.allSettled([body]);
    await answer;
    await this.gate.alive();
    this.#runs.end(run, await endOf(body));
    return body;
  }
}

function recordingSchedule(schedule: AnySchedule, recording: (task: AnyTask) => AnyTask): AnySchedule {
  return { ...schedule, errand: recordingErrand(schedule.errand, recording), tasks: schedule.tasks.map(recording) };
}

/** Of a batch or chain, all that belongs to it. */
function recordingErrand(errand: Errand, recording: (task: AnyTask) => AnyTask): Errand {
  const parts = errand[madeByTaskWith];
  if (parts.task !== undefined) return { ...errand, [madeByTaskWith]: { ...parts, task: recording(parts.task) } };
  const members = parts.members.map((member) => recordingErrand(member, recording));
  const callbacks = parts.callbacks.map((callback) => ({ ...callback, errand: recordingErrand(callback.errand, recording) }));
  return { ...errand, [madeByTaskWith]: { ...parts, members, callbacks } };
}

function isNoModule(definitions: unknown): boolean {
  return typeof definitions !== "object" || definitions === null || "kind" in definitions;
}

function endOf(body: Promise<unknown>): Promise<"returned" | "threw"> {
  return body.then(
    () => "returned",
    () => "threw",
  );
}
