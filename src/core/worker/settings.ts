/** A worker's options, checked, with every default filled in. */
import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import * as defaults from "../defaults.ts";
import type { Definitions } from "../definitions.ts";
import { durationMs, type Duration } from "../duration.ts";
import type { Engine, Settled } from "../engine.ts";
import { someNeeds } from "../limits/resource.ts";
import { checkName } from "../names.ts";
import { aWholeNumber, checkOptions, refuse } from "../options.ts";
import type { Meter } from "../metrics/meter.ts";
import type { Planner } from "../plan.ts";
import type { Experience } from "../recovery/experience.ts";
import type { Logger, Ms, Runtime } from "../runtime.ts";

export interface WorkerOptions {
  /** How many jobs run at once, for each queue. Default: 10 in each queue that a task names, and in "default". */
  readonly queues?: Readonly<Record<string, number>>;
  /** How long `stop` lets running jobs finish before their signal fires. Default 25 s. */
  readonly grace?: Duration;
  /** A module that exports the definitions: a job that may have killed its worker twice then runs alone in a child process. `new URL("./tasks.js", import.meta.url)`. */
  readonly isolate?: string | URL;
  /** Stop gracefully at SIGTERM and SIGINT, at once at the second. Default true. */
  readonly signals?: boolean;
  /** Resources that this worker itself has, as in `{ gpu: 2 }`: counted here, whatever others have. */
  readonly has?: Readonly<Record<string, number>>;
  /** How long a silent worker keeps its jobs. It beats four times in that time. Default 8 s. */
  readonly lease?: Duration;
}

export interface Settings {
  readonly queues: ReadonlyMap<string, number>;
  readonly graceMs: Ms;
  readonly leaseMs: Ms;
  readonly beatEveryMs: Ms;
  readonly isolate: string | undefined;
  readonly signals: boolean;
  readonly has: Readonly<Record<string, number>> | undefined;
}

/** What the parts of a worker share. */
export interface WorkerParts {
  readonly engine: Engine;
  readonly runtime: Runtime;
  readonly definitions: Definitions;
  readonly planner: Planner;
  readonly log: Logger;
  readonly settings: Settings;
  /** Of the process. */
  readonly meter: Meter;
  /** Hears what the store made of outcomes. */
  readonly told?: ((answers: readonly Settled[]) => void) | undefined;
  /** Of the process, for its breakers; without it, of this worker. */
  readonly experience?: Experience | undefined;
}

const slotsMax = 1_000;
const leaseLeastMs = 100;
const beatsPerLease = defaults.leaseMs / defaults.beatEveryMs;

/** Throws `option-unknown`, `option-invalid`, `name-invalid`. */
export function settingsOf(options: WorkerOptions, definitions: Definitions): Settings {
  checkOptions(options, "start", { queues: someQueues, grace: aDuration, isolate: aModule, signals: aBoolean, lease: aLease, has: someNeeds });
  const leaseMs = options.lease === undefined ? defaults.leaseMs : durationMs(options.lease, "start.lease");
  return {
    queues: options.queues === undefined ? queuesOf(definitions) : new Map(Object.entries(options.queues)),
    graceMs: options.grace === undefined ? defaults.stopGraceMs : durationMs(options.grace, "start.grace"),
    leaseMs,
    beatEveryMs: leaseMs / beatsPerLease,
    isolate: options.isolate === undefined ? undefined : moduleUrl(options.isolate),
    signals: options.signals ?? true,
    has: options.has,
  };
}

function queuesOf(definitions: Definitions): ReadonlyMap<string, number> {
  const queues = new Map([[defaults.queueName, defaults.slotsPerQueue]]);
  for (const task of definitions.tasks.values()) queues.set(task.policy.queue, defaults.slotsPerQueue);
  return queues;
}

function someQueues(value: unknown, path: string): void {
  if (typeof value !== "object" || value === null || Object.keys(value).length === 0)
    refuse(path, value, "how many jobs of each queue run at once, as in { default: 10 }");
  for (const [queue, slots] of Object.entries(value)) {
    checkName(queue, `${path}:`);
    aWholeNumber(1, slotsMax)(slots, `${path}.${queue}`);
  }
}

function aDuration(value: unknown, path: string): void {
  durationMs(value as Duration, path);
}

function aLease(value: unknown, path: string): void {
  if (durationMs(value as Duration, path) < leaseLeastMs) refuse(path, value, `at least ${leaseLeastMs}ms`);
}

function aBoolean(value: unknown, path: string): void {
  if (typeof value !== "boolean") refuse(path, value, "true or false");
}

function aModule(value: unknown, path: string): void {
  if (value instanceof URL) return;
  if (typeof value !== "string" || !(value.startsWith("file:") || isAbsolute(value)))
    refuse(path, value, 'the URL of a module, as in new URL("./tasks.js", import.meta.url)');
}

function moduleUrl(module: string | URL): string {
  if (module instanceof URL) return module.href;
  return module.startsWith("file:") ? module : pathToFileURL(module).href;
}
