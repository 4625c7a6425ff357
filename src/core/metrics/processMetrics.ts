/** What this process did and holds: counted as it happened, and told without asking the store. */
import type { Instant } from "../runtime.ts";
import { runEndings, type DriftTally, type Meter, type RunTally } from "./meter.ts";
import type { Metric, MetricSample } from "./metric.ts";

/** What a worker has in its hands now. */
export interface WorkerLoad {
  readonly queues: readonly { readonly queue: string; readonly slots: number; readonly running: number; readonly held: number }[];
  /** Runs that were given up and still go on. */
  readonly overran: number;
  /** Outcomes that the store has not answered for. */
  readonly unwritten: number;
  /** The store's time of the last beat that it answered; 0: none yet. */
  readonly heardAt: Instant;
}

/** What a broker holds beside its worker. */
export interface HeldLoad {
  readonly locks: { readonly held: number; readonly waiting: number };
  /** By name: whether this process leads, of those that it stands for. */
  readonly leads: ReadonlyMap<string, boolean>;
  readonly heardAt: Instant;
}

export interface ProcessLoad {
  readonly meter: Meter;
  /** Undefined: there is none, or it has stopped. */
  readonly worker: WorkerLoad | undefined;
  readonly held: HeldLoad;
}

export function processMetrics({ meter, worker, held }: ProcessLoad): readonly Metric[] {
  return [...runMetrics(meter), ...storeCallMetrics(meter), ...driftMetrics(meter), ...workerMetrics(worker), ...heldMetrics(worker, held)];
}

function runMetrics({ tasks }: Meter): readonly Metric[] {
  const each = (value: (tally: RunTally) => number): MetricSample[] => [...tasks].map(([task, tally]) => ({ labels: { task }, value: value(tally) }));
  return [
    counter(
      "errand_runs_total",
      "Runs that ended in this process, by task and how.",
      [...tasks].flatMap(([task, { ended }]) => runEndings.map((outcome) => ({ labels: { task, outcome }, value: ended[outcome] }))),
    ),
    counter(
      "errand_run_seconds_total",
      "How long runs that ended in this process took, in all.",
      each(({ ranMs }) => ranMs / 1_000),
      "seconds",
    ),
    counter(
      "errand_wait_seconds_total",
      "How long their jobs were due before they were claimed, in all.",
      each(({ waitedMs }) => waitedMs / 1_000),
      "seconds",
    ),
    counter(
      "errand_overran_total",
      "Runs that went on after their signal, and were given up.",
      each(({ overran }) => overran),
    ),
  ];
}

function storeCallMetrics({ claims, claimedJobs, answers, rewritten, failedCalls, eras }: Meter): readonly Metric[] {
  return [
    counter("errand_claims_total", "Claims that the store answered.", one(claims)),
    counter("errand_claimed_jobs_total", "Jobs that claims of this process were handed.", one(claimedJobs)),
    counter("errand_outcomes_total", "Outcomes that this process wrote, by what the store made of them.", by("answer", answers)),
    counter("errand_outcomes_rewritten_total", "Outcomes that had to be written again, since a call failed.", one(rewritten)),
    counter("errand_store_calls_failed_total", "Calls of a worker, or of what holds locks, that the store did not answer.", by("call", failedCalls)),
    counter("errand_eras_total", "New eras of the store that this process's worker heard of: it was wiped, rolled back or failed over.", one(eras)),
  ];
}

function driftMetrics({ reconciliations }: Meter): readonly Metric[] {
  const each = (value: (tally: DriftTally) => number): MetricSample[] =>
    [...reconciliations].map(([reconciliation, tally]) => ({ labels: { reconciliation, task: tally.task }, value: value(tally) }));
  return [
    counter(
      "errand_reconciliation_runs_total",
      "Runs of a reconciliation that ended in this process.",
      each(({ runs }) => runs),
    ),
    counter(
      "errand_reconciliation_found_total",
      "What runs of a reconciliation in this process found undone.",
      each(({ found }) => found),
    ),
    counter(
      "errand_reconciliation_missing_total",
      "Of what they found, what had no live job: the drift.",
      each(({ missing }) => missing),
    ),
    counter(
      "errand_reconciliation_enqueued_total",
      "Of what was missing, what got a job.",
      each(({ enqueued }) => enqueued),
    ),
  ];
}

function workerMetrics(worker: WorkerLoad | undefined): readonly Metric[] {
  const { queues = [], overran = 0, unwritten = 0 } = worker ?? {};
  const each = (value: (queue: WorkerLoad["queues"][number]) => number): MetricSample[] =>
    queues.map((queue) => ({ labels: { queue: queue.queue }, value: value(queue) }));
  return [
    gauge("errand_worker_up", "1 while this process has a worker.", one(worker === undefined ? 0 : 1)),
    gauge(
      "errand_worker_slots",
      "How many jobs of a queue this worker runs at once.",
      each(({ slots }) => slots),
    ),
    gauge(
      "errand_worker_running_jobs",
      "Jobs of a queue that run here now.",
      each(({ running }) => running),
    ),
    gauge(
      "errand_worker_held_jobs",
      "Jobs of a queue that are held ready here beside those that run.",
      each(({ held }) => held),
    ),
    gauge("errand_worker_overrunning_runs", "Runs that were given up and still go on.", one(overran)),
    gauge("errand_worker_unwritten_outcomes", "Outcomes that the store has not answered for.", one(unwritten)),
  ];
}

function heldMetrics(worker: WorkerLoad | undefined, { locks, leads, heardAt }: HeldLoad): readonly Metric[] {
  const beats = [
    { labels: { of: "worker" }, at: worker?.heardAt ?? 0 },
    { labels: { of: "locks" }, at: heardAt },
  ].filter(({ at }) => at > 0);
  return [
    gauge("errand_locks", "Locks that this process holds or waits for.", by("state", locks)),
    gauge(
      "errand_leads",
      "1 where this process leads, 0 where it stands for it.",
      [...leads].map(([leadership, isLeader]) => ({ labels: { leadership }, value: isLeader ? 1 : 0 })),
    ),
    {
      name: "errand_last_beat_timestamp_seconds",
      kind: "gauge",
      unit: "seconds",
      help: "When the store last answered a heartbeat: it renews the lease on all that is held.",
      samples: beats.map(({ labels, at }) => ({ labels, value: at / 1_000 })),
    },
  ];
}

function one(value: number): MetricSample[] {
  return [{ labels: {}, value }];
}

function by(label: string, values: Readonly<Record<string, number>>): MetricSample[] {
  return Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value }));
}

function counter(name: string, help: string, samples: readonly MetricSample[], unit?: "seconds"): Metric {
  return { name, kind: "counter", help, ...(unit && { unit }), samples };
}

function gauge(name: string, help: string, samples: readonly MetricSample[]): Metric {
  return { name, kind: "gauge", help, samples };
}
