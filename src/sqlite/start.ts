/** Leases the chosen jobs: out of errand_ready, into errand_running, all of a line at once. */
import type { Claim, ClaimedJob } from "../core/engine.ts";
import { flags } from "./job.ts";
import { leaseTo } from "./processes.ts";
import type { Process } from "./processes.ts";
import type { Chosen } from "./ready.ts";
import { parseExtra } from "./row.ts";
import type { Transaction } from "./transaction.ts";

type Taken = [
  urgency: number,
  seq: number,
  id: string,
  payload: string,
  attempts: number,
  starts: number,
  suspects: number,
  enqueuedAt: number,
  dueAt: number,
  checkpoint: string | null,
  extra: string | null,
  flags: number,
];

/** The chosen jobs of a line are its first: a range of the primary key; then rowids. */
const takenJobs = `SELECT r.urgency, r.seq, j.id, j.payload, j.attempts, j.starts, j.suspects, j.enqueued_at, j.due_at, j.checkpoint, j.extra, j.flags
  FROM errand_ready r CROSS JOIN errand_jobs j ON j.seq = r.seq WHERE r.line = ? AND (r.urgency, r.seq) <= (?, ?) ORDER BY r.urgency, r.seq`;
const enterRunning = `INSERT INTO errand_running (seq, line, keep, flags, process, fence, claim, started_at)
  SELECT r.seq, j.line, j.keep, j.flags, ?, ?, ?, ? FROM errand_ready r CROSS JOIN errand_jobs j ON j.seq = r.seq WHERE r.line = ? AND (r.urgency, r.seq) <= (?, ?)`;
const leaveReady = "DELETE FROM errand_ready WHERE line = ? AND (urgency, seq) <= (?, ?)";
/** By primary key. */
const metDeadline = "DELETE FROM errand_deadlines WHERE start_by = (SELECT start_by FROM errand_jobs WHERE seq = ?) AND seq = ?";

export function start(tx: Transaction, wanted: Claim, known: Process | undefined, fence: number, chosen: readonly Chosen[]): ClaimedJob[] {
  if (chosen.length === 0) return [];
  const process = leaseTo(tx, known, wanted.process, wanted.leaseMs);
  const started: { readonly urgency: number; readonly seq: number; readonly job: ClaimedJob }[] = [];
  for (const ofLine of byPlace(chosen).values()) {
    const last = ofLine.at(-1);
    if (last === undefined) continue;
    for (const row of tx.sql.tuples<Taken>(takenJobs, last.place, last.urgency, last.seq)) {
      started.push({ urgency: row[0], seq: row[1], job: claimedJob(last, row) });
    }
    tx.sql.run(enterRunning, process, fence, wanted.claim, tx.now, last.place, last.urgency, last.seq);
    tx.sql.run(leaveReady, last.place, last.urgency, last.seq);
    tx.counters.add(last.line.id, "ready", -ofLine.length);
    tx.counters.add(last.line.id, "running", ofLine.length);
  }
  for (const { flags: flagged, seq } of chosen) if ((flagged & flags.hasStartBy) !== 0) tx.sql.run(metDeadline, seq, seq);
  return started.toSorted((a, b) => a.urgency - b.urgency || a.seq - b.seq).map(({ job }) => job);
}

function byPlace(chosen: readonly Chosen[]): Map<number, Chosen[]> {
  const places = new Map<number, Chosen[]>();
  for (const one of chosen) {
    const same = places.get(one.place);
    if (same) same.push(one);
    else places.set(one.place, [one]);
  }
  return places;
}

function claimedJob({ line }: Chosen, [, , id, payload, attempts, starts, suspects, enqueuedAt, dueAt, checkpoint, extra, flagged]: Taken): ClaimedJob {
  return {
    id,
    task: line.task,
    queue: line.queue,
    payload,
    attempt: attempts + 1,
    starts: starts + 1,
    suspects,
    enqueuedAt,
    dueAt,
    isOrdered: (flagged & flags.hasLane) !== 0,
    ...(checkpoint !== null && { checkpoint }),
    ...(extra !== null && parseExtra(extra)),
  };
}
