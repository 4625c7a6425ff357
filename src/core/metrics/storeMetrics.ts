/** What all processes share, as the store tells it: the same whichever process asks. O(lines), whatever the number of jobs. */
import { at } from "../at.ts";
import { pinnedAfterMs } from "../defaults.ts";
import type { CountRow, PinKind } from "../engine.ts";
import { breakerPrefix, stateIn } from "../recovery/breakerNotes.ts";
import type { BreakerState } from "../recovery/breakerState.ts";
import type { ReconciliationView } from "../reconcile/reconciliations.ts";
import { notesWith, type Store } from "../schedule/stored.ts";
import type { ScheduleView } from "../schedule/view.ts";
import { jobStates } from "../states.ts";
import type { Metric, MetricSample } from "./metric.ts";

export interface StoreViews {
  readonly schedules: readonly ScheduleView[];
  readonly reconciliations: readonly ReconciliationView[];
}

const breakerStates: readonly BreakerState["is"][] = ["healthy", "open", "probing", "ramping", "draining"];

export async function storeMetrics(store: Store, { schedules, reconciliations }: StoreViews): Promise<readonly Metric[]> {
  const counts = await store.engine.count(at(store.runtime));
  const { notes: breakers } = await notesWith(store, breakerPrefix);
  const { notes: pauses, now } = await notesWith(store, "pause/");
  return [
    gauge(
      "errand_jobs",
      "Stored jobs by queue, task and state; ended ones for as long as they are kept.",
      linesOf(counts).flatMap((line) => jobsOf(line)),
    ),
    gauge(
      "errand_paused",
      "1 for each queue, task and schedule that is paused.",
      pauses.map(({ key }) => ({ labels: pausedBy(key), value: 1 })),
    ),
    gauge(
      "errand_breaker_state",
      "1 for the state that a breaker is in, 0 for the others; of breakers that ever had trouble.",
      breakers.flatMap((note) => stateSet(note.key.slice(breakerPrefix.length), stateIn(note).is)),
    ),
    gauge("errand_pins", "What keeps the store from taking away dead rows, by kind; on PostgreSQL.", await pinsOf(store)),
    gauge(
      "errand_set_aside",
      "What transactions handed in and the store could not take in: at most 1000; on PostgreSQL, and of an outbox.",
      await setAsideOf(store),
    ),
    seconds(
      "errand_outbox_lag_seconds",
      "For how long the oldest row of the outbox has waited to be moved on; on Redis with an outbox.",
      await outboxLagOf(store),
    ),
    ...scheduleMetrics(schedules, now),
    ...reconciliationMetrics(reconciliations),
  ];
}

function linesOf(counts: readonly CountRow[]): readonly (readonly CountRow[])[] {
  return [...Map.groupBy(counts, ({ queue, task }) => `${queue}\n${task}`).values()];
}

function jobsOf(line: readonly CountRow[]): readonly MetricSample[] {
  const [{ queue, task } = { queue: "", task: "" }] = line;
  return jobStates.map((state) => ({
    labels: { queue, task, state },
    value: line.reduce((sum, row) => (row.state === state ? sum + row.jobs : sum), 0),
  }));
}

const pinKinds: readonly PinKind[] = ["session", "prepared-transaction", "replication-slot", "standby"];

async function pinsOf({ engine }: Store): Promise<readonly MetricSample[]> {
  if (engine.pins === undefined) return [];
  const pins = await engine.pins(pinnedAfterMs);
  return pinKinds.map((by) => ({ labels: { by }, value: pins.filter((pin) => pin.by === by).length }));
}

async function setAsideOf({ engine }: Store): Promise<readonly MetricSample[]> {
  return engine.setAside === undefined ? [] : [{ labels: {}, value: await engine.setAside() }];
}

async function outboxLagOf({ engine, runtime }: Store): Promise<readonly MetricSample[]> {
  return engine.outboxLagMs === undefined ? [] : [{ labels: {}, value: (await engine.outboxLagMs(at(runtime))) / 1_000 }];
}

/** Of `pause/queue/mail`. */
function pausedBy(key: string): MetricSample["labels"] {
  const [, of = "", ...name] = key.split("/");
  return { of, name: name.join("/") };
}

function stateSet(breaker: string, is: BreakerState["is"]): readonly MetricSample[] {
  return breakerStates.map((state) => ({ labels: { breaker, state }, value: state === is ? 1 : 0 }));
}

function scheduleMetrics(schedules: readonly ScheduleView[], now: number): readonly Metric[] {
  const labels = ({ name }: ScheduleView): MetricSample["labels"] => ({ schedule: name });
  return [
    seconds(
      "errand_schedule_late_seconds",
      "How long ago the next slot of a schedule should have been enqueued; 0 where it is not due, or paused.",
      schedules.map((view) => ({
        labels: labels(view),
        value: view.next === undefined ? 0 : Math.max(0, now - view.next.getTime()) / 1_000,
      })),
    ),
    seconds(
      "errand_schedule_last_slot_timestamp_seconds",
      "The last slot of a schedule that was enqueued.",
      schedules.flatMap((view) => (view.last === undefined ? [] : [{ labels: labels(view), value: view.last.getTime() / 1_000 }])),
    ),
  ];
}

const driftHelp = {
  found: "What the last run of a reconciliation found undone.",
  missing: "Of that, what had no live job: the drift.",
  enqueued: "Of the missing, what got a job.",
  refused: "Of the missing, what the task refuses.",
  dead: "What has a dead job, and waits for a redrive.",
} as const;

function reconciliationMetrics(views: readonly ReconciliationView[]): readonly Metric[] {
  const labels = ({ name, task }: ReconciliationView): MetricSample["labels"] => ({ reconciliation: name, task });
  const counts = (["found", "missing", "enqueued", "refused", "dead"] as const).map((count) =>
    gauge(
      `errand_reconciliation_last_${count}`,
      driftHelp[count],
      views.flatMap((view) => (view.last === undefined ? [] : [{ labels: labels(view), value: view.last[count] }])),
    ),
  );
  return [
    ...counts,
    seconds(
      "errand_reconciliation_last_end_timestamp_seconds",
      "When the last run of a reconciliation ended.",
      views.flatMap((view) => (view.last === undefined ? [] : [{ labels: labels(view), value: view.last.endedAt.getTime() / 1_000 }])),
    ),
    gauge(
      "errand_reconciliation_running",
      "1 while a run of a reconciliation is under way.",
      views.map((view) => ({ labels: labels(view), value: view.running === undefined ? 0 : 1 })),
    ),
  ];
}

function gauge(name: string, help: string, samples: readonly MetricSample[]): Metric {
  return { name, kind: "gauge", help, samples };
}

function seconds(name: string, help: string, samples: readonly MetricSample[]): Metric {
  return { name, kind: "gauge", help, unit: "seconds", samples };
}
