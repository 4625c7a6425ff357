/** A job as `find` answers it. */
import { suspectsBeforeAlone } from "../core/defaults.ts";
import type { AttemptRow, ClaimedJob, JobRow, LaneMembership, NewJob, Waits } from "../core/engine.ts";
import type { Instant, Ms } from "../core/runtime.ts";
import { isEnded } from "../core/states.ts";
import type { JobState } from "../core/states.ts";
import { blockedBy } from "./blockedBy.ts";
import { flags, hasFlag, rowOfMember, stateFrom } from "./job.ts";
import { readyPlaceOf } from "./readyPlace.ts";
import type { Transaction } from "./transaction.ts";

export interface RowRecord {
  readonly seq: number;
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly code: number;
  readonly payload: string;
  readonly headStartMs: Ms;
  readonly urgency: number;
  readonly enqueuedAt: Instant;
  readonly dueAt: Instant;
  readonly startBy: Instant | null;
  readonly attempts: number;
  readonly starts: number;
  readonly suspects: number;
  readonly lane: string | null;
  readonly ifDead: LaneMembership["ifDead"] | null;
  readonly uniqueKey: string | null;
  readonly since: Instant | null;
  readonly delayedBy: "time" | "retry" | "snooze" | null;
  readonly reason: string | null;
  readonly endedAt: Instant | null;
  readonly isPoison: number;
  readonly history: string | null;
  readonly checkpoint: string | null;
  readonly result: string | null;
  readonly extra: string | null;
  readonly doneAt: Instant | null;
  readonly claim: string | null;
  readonly fence: number | null;
  readonly startedAt: Instant | null;
  readonly isCancelling: number | null;
  readonly process: string | null;
  readonly leaseUntil: Instant | null;
  readonly flags: number;
  readonly isBehind: number;
}

export const rowColumns = `
  j.seq, j.id, l.task, l.queue, j.state AS code, j.payload, j.head_start AS headStartMs, j.urgency, j.enqueued_at AS enqueuedAt, j.due_at AS dueAt,
  j.start_by AS startBy, j.attempts, j.starts, j.suspects, j.lane, j.if_dead AS ifDead, j.unique_key AS uniqueKey, coalesce(y.since, j.since) AS since, j.delayed_by AS delayedBy,
  j.reason, j.ended_at AS endedAt, j.is_poison AS isPoison, j.history, j.checkpoint, j.result, j.extra, d.ended_at AS doneAt,
  coalesce(r.claim, w.claim) AS claim, coalesce(r.fence, w.fence) AS fence, coalesce(r.started_at, w.started_at) AS startedAt,
  r.is_cancelling AS isCancelling, p.process, p.lease_until AS leaseUntil,
  j.flags, m.seq IS NOT NULL AS isBehind`;

/** By rowids and primary keys. */
export const rowJoins: string = `CROSS JOIN errand_lines l ON l.id = j.line LEFT JOIN errand_running r ON r.seq = j.seq LEFT JOIN errand_done d ON d.seq = j.seq
  LEFT JOIN errand_ready y ON y.line = ${readyPlaceOf("j")} AND y.urgency = j.urgency AND y.seq = j.seq
  LEFT JOIN errand_members m ON m.lane = j.lane AND m.place = 0 AND m.seq = j.seq ${rowOfMember}
  LEFT JOIN errand_processes p ON p.id = coalesce(r.process, w.process)`;

/** By errand_joined_seq, then rowids. */
const joinsOf = `SELECT m.seq, n.id FROM json_each(?) e CROSS JOIN errand_joined m ON m.seq = e.value CROSS JOIN errand_joins n ON n.seq = m.joined
  ORDER BY m.seq, m.nth`;

export function jobRows(look: Transaction, records: readonly RowRecord[]): JobRow[] {
  const members = records.filter((record) => hasFlag(record, flags.hasJoin)).map(({ seq }) => seq);
  const joins = new Map<number, string[]>();
  for (const [seq, id] of members.length === 0 ? [] : look.sql.tuples<[number, string]>(joinsOf, JSON.stringify(members))) {
    joins.set(seq, [...(joins.get(seq) ?? []), id]);
  }
  return records.map((record) => jobRow(look, record, joins.get(record.seq)));
}

function jobRow(look: Transaction, record: RowRecord, joins: readonly string[] | undefined): JobRow {
  const { code, isBehind } = record;
  const state = stateFrom({ code, isRunning: record.fence !== null, isDone: record.doneAt !== null, isBehind: isBehind === 1 });
  const extra = record.extra === null ? {} : parseExtra(record.extra);
  const composed = record.extra === null ? {} : composedIn(record.extra);
  const waits = waitsOf(look, record, state);
  const claim = claimOf(record);
  // The claim in hand, and that which completed it, are not in the row.
  const last = state === "running" || state === "completed" ? 1 : 0;
  return {
    id: record.id,
    task: record.task,
    queue: record.queue,
    state,
    payload: record.payload,
    headStartMs: record.headStartMs,
    urgency: record.urgency,
    enqueuedAt: record.enqueuedAt,
    dueAt: record.dueAt,
    attempts: record.attempts + (state === "completed" ? 1 : 0),
    starts: record.starts + last,
    suspects: state === "completed" ? 0 : record.suspects,
    history: record.history === null ? [] : (JSON.parse(record.history) as AttemptRow[]),
    ...(joins && { joins }),
    ...composed,
    ...(waits && { waits }),
    ...(claim && { claim }),
    ...(record.isPoison === 1 && { isPoison: true }),
    ...present("lane", record.lane),
    ...present("ifDead", record.ifDead),
    ...present("startBy", record.startBy),
    ...present("unique", record.uniqueKey),
    ...(isEnded(state) && present("endedAt", record.doneAt ?? record.endedAt)),
    ...present("reason", record.reason),
    ...present("checkpoint", record.checkpoint),
    ...present("result", record.result),
    ...extra,
  };
}

/** What a job carries besides, as it is answered. */
export function parseExtra(text: string): Pick<ClaimedJob, "expecting" | "version" | "from" | "slotAt"> {
  const { expecting, version, from, slot } = JSON.parse(text) as Pick<NewJob, "expecting" | "version" | "from" | "slot">;
  return {
    ...(expecting !== undefined && { expecting }),
    ...(version !== undefined && { version }),
    ...(from && { from }),
    ...(slot && { slotAt: slot.at }),
  };
}

function composedIn(text: string): Pick<JobRow, "keyLimits" | "after"> {
  const { keyLimits, after } = JSON.parse(text) as Pick<NewJob, "keyLimits" | "after">;
  return { ...(keyLimits && { keyLimits }), ...(after && { after }) };
}

function waitsOf(look: Transaction, record: RowRecord, state: JobState): Waits | undefined {
  const since = record.since ?? record.enqueuedAt;
  if (state === "scheduled") return { reason: record.delayedBy ?? "time", on: new Date(record.dueAt).toISOString(), since };
  if (state === "blocked") return { ...blockedBy(look, record), since };
  if (state === "parked") return { reason: "parked", on: record.lane ?? "", since };
  if (state !== "ready") return undefined;
  return { reason: record.suspects < suspectsBeforeAlone ? "worker" : "alone", on: record.queue, since };
}

function claimOf({ process, claim, fence, startedAt, leaseUntil, isCancelling }: RowRecord): JobRow["claim"] {
  if (process === null || claim === null || fence === null || startedAt === null || leaseUntil === null) return undefined;
  return { process, claim, fence, startedAt, leaseUntil, isCancelling: isCancelling === 1 };
}

function present<Key extends string, Value>(key: Key, value: Value | null): Partial<Record<Key, Value>> {
  return value === null ? {} : ({ [key]: value } as Record<Key, Value>);
}
