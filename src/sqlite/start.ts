/** Leases the chosen jobs: out of errand_ready, into errand_running, all of a line at once. */
import type { Claim, ClaimedJob, KeyLimit } from "../core/engine.ts";
import type { Follower } from "./inRow.ts";
import { flags } from "./job.ts";
import { countStarts } from "./keyLimit.ts";
import { startRow } from "./laneRow.ts";
import type { RowStart } from "./laneRow.ts";
import type { Line } from "./lines.ts";
import { leaseTo } from "./processes.ts";
import type { Process } from "./processes.ts";
import type { Chosen } from "./ready.ts";
import type { Room } from "./room.ts";
import { parseExtra } from "./row.ts";
import type { Transaction } from "./transaction.ts";

export type Taken = [
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

/** With its lane. Those behind it in a row have the same. */
type TakenHead = [...taken: Taken, lane: string | null, laneWidth: number | null];

export const takenColumns = "j.seq, j.id, j.payload, j.attempts, j.starts, j.suspects, j.enqueued_at, j.due_at, j.checkpoint, j.extra, j.flags";
const headColumns = `${takenColumns}, j.lane, j.lane_width`;

/** The first of a line: a range of the primary key; then rowids. */
const firstOfLine = "FROM errand_ready r CROSS JOIN errand_jobs j ON j.seq = r.seq WHERE r.line = ? AND (r.urgency, r.seq) <= (?, ?)";
const takenJobs = `SELECT ${headColumns} ${firstOfLine}`;
/** Its lane goes along, so that its end needs no look at the wide row. */
const lane = `iif(j.flags & ${flags.hasLane}, j.lane, NULL)`;
const enterRunning = `INSERT INTO errand_running (seq, line, keep, flags, process, fence, claim, started_at, terms, lane)
  SELECT r.seq, j.line, j.keep, j.flags, ?, ?, ?, ?, ?, ${lane} ${firstOfLine}`;
const leaveReady = "DELETE FROM errand_ready WHERE line = ? AND (urgency, seq) <= (?, ?)";
/** By rowids. */
const listed = "FROM json_each(?) e CROSS JOIN errand_jobs j ON j.seq = e.value";
const listedJobs = `SELECT ${headColumns} ${listed}`;
const listedEnterRunning = `INSERT INTO errand_running (seq, line, keep, flags, process, fence, claim, started_at, terms, lane)
  SELECT j.seq, j.line, j.keep, j.flags | ?, ?, ?, ?, ?, ?, ${lane} ${listed}`;
/** By primary key. */
const leaveReadyOne = "DELETE FROM errand_ready WHERE line = ? AND urgency = ? AND seq = ?";
const metDeadline = "DELETE FROM errand_deadlines WHERE start_by = (SELECT start_by FROM errand_jobs WHERE seq = ?) AND seq = ?";
/** By errand_joined_seq, then rowids. */
const ownJoins = `SELECT m.seq, n.id FROM json_each(?) e CROSS JOIN errand_joined m ON m.seq = e.value AND m.nth = 0 CROSS JOIN errand_joins n ON n.seq = m.joined`;

/** For whom, and under what. */
export interface Lease extends Pick<Claim, "process" | "leaseMs" | "claim"> {
  readonly fence: number;
}

/** In the order in which they were chosen, each with those that follow it in a row right behind it. */
export function start(tx: Transaction, lease: Lease, known: Process | undefined, chosen: readonly Chosen[], room: Room): ClaimedJob[] {
  if (chosen.length === 0) return [];
  const process = leaseTo(tx, known, lease.process, lease.leaseMs);
  const carried = room.handOut();
  const rows = new Map<number, TakenHead>();
  for (const ofLine of byPlace(chosen).values()) {
    const [first] = ofLine;
    if (first === undefined) continue;
    const values: Started = [process, lease.fence, lease.claim, tx.now, carried.get(first.line.task) ?? null];
    for (const row of first.isListed ? startListed(tx, ofLine, values) : startFirst(tx, ofLine, values)) rows.set(row[0], row);
    tx.counters.add(first.line.id, "ready", -ofLine.length);
    tx.counters.add(first.line.id, "running", ofLine.length);
  }
  startFollowers(tx, chosen, rows, [process, lease.fence, lease.claim, tx.now]);
  return claimedJobs(tx, chosen, rows, lease);
}

type Started = readonly [process: number, fence: number, claim: string, now: number, terms: number | null];

function byPlace(chosen: readonly Chosen[]): Map<number, Chosen[]> {
  const places = new Map<number, Chosen[]>();
  for (const one of chosen) {
    const same = places.get(one.place);
    if (same) same.push(one);
    else places.set(one.place, [one]);
  }
  return places;
}

/** The chosen jobs of a line are its first. */
function startFirst(tx: Transaction, ofLine: readonly Chosen[], values: Started): TakenHead[] {
  const last = ofLine.at(-1);
  if (last === undefined) return [];
  const upTo = [last.place, last.urgency, last.seq] as const;
  const rows = tx.sql.tuples<TakenHead>(takenJobs, ...upTo);
  tx.sql.run(enterRunning, ...values, ...upTo);
  tx.sql.run(leaveReady, ...upTo);
  return rows;
}

/** They stand anywhere in their line. */
function startListed(tx: Transaction, ofLine: readonly Chosen[], values: Started): TakenHead[] {
  const seqs = JSON.stringify(ofLine.map(({ seq }) => seq));
  tx.sql.run(listedEnterRunning, 0, ...values, seqs);
  for (const { place, urgency, seq } of ofLine) tx.sql.run(leaveReadyOne, place, urgency, seq);
  return tx.sql.tuples<TakenHead>(listedJobs, seqs);
}

/** They stay where their lane has them, so that nothing but their running is written: mostly one row for all of a lane. */
function startFollowers(tx: Transaction, chosen: readonly Chosen[], rows: ReadonlyMap<number, TakenHead>, rowStart: RowStart): void {
  const seqs: number[] = [];
  for (const { line, seq: head, followers } of chosen) {
    if (followers.length === 0) continue;
    const lane = rows.get(head)?.[atLane] ?? null;
    if (lane === null || !startRow(tx, lane, line, followers, rowStart)) for (const [seq] of followers) seqs.push(seq);
    tx.counters.add(line.id, "blocked", -followers.length);
    tx.counters.add(line.id, "running", followers.length);
  }
  // In the order of their rows: 0.4 µs each where any order takes 0.8.
  if (seqs.length > 0) tx.sql.run(listedEnterRunning, flags.isFollowing, ...rowStart, null, JSON.stringify(seqs.toSorted((a, b) => a - b)));
}

const atId = 1;
const atFlags = 10;
const atLane = 11;
const atWidth = 12;

function claimedJobs(tx: Transaction, chosen: readonly Chosen[], rows: ReadonlyMap<number, TakenHead>, { fence, claim }: Lease): ClaimedJob[] {
  const more = { joins: ownJoinIds(tx, chosen, rows), fence };
  const jobs: ClaimedJob[] = [];
  const seqs = new Map<string, number>();
  for (const { line, seq, followers } of chosen) {
    const head = rows.get(seq);
    if (head === undefined) continue;
    const lane = head[atWidth] === 1 ? head[atLane] : null;
    for (const row of followers.length === 0 ? [head] : [head, ...followers]) {
      jobs.push(claimedJob(tx, line, row, lane, more));
      seqs.set(row[atId], row[0]);
    }
  }
  tx.handedOut?.note(claim, seqs);
  return jobs;
}

const none: ReadonlyMap<number, string> = new Map();

function ownJoinIds(tx: Transaction, chosen: readonly Chosen[], rows: ReadonlyMap<number, TakenHead>): ReadonlyMap<number, string> {
  const members: number[] = [];
  for (const row of rows.values()) if ((row[atFlags] & flags.hasJoin) !== 0) members.push(row[0]);
  for (const { followers } of chosen) for (const row of followers) if ((row[atFlags] & flags.hasJoin) !== 0) members.push(row[0]);
  return members.length === 0 ? none : new Map(tx.sql.tuples<[seq: number, id: string]>(ownJoins, JSON.stringify(members)));
}

/** What all of one call have in common. */
interface More {
  /** By seq, the id of its own join. */
  readonly joins: ReadonlyMap<number, string>;
  readonly fence: number;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** `lane`: where it has one of width 1. */
function claimedJob(tx: Transaction, line: Line, row: Taken | TakenHead | Follower, lane: string | null, more: More): ClaimedJob {
  const [, id, payload, attempts, starts, suspects, enqueuedAt, dueAt, checkpoint, extra, flagged] = row;
  const job: Mutable<ClaimedJob> = {
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
  };
  // One by one: spreading what is there, or is not, took a sixth of the call.
  if (lane !== null) job.lane = lane;
  if (checkpoint !== null) job.checkpoint = checkpoint;
  if ((flagged & (flags.hasStartBy | flags.hasKeyLimits | flags.hasAfter | flags.hasJoin)) !== 0) addTies(tx, job, row, more);
  return extra === null ? job : Object.assign(job, parseExtra(extra));
}

function addTies(tx: Transaction, job: Mutable<ClaimedJob>, row: Taken | TakenHead | Follower, { joins, fence }: More): void {
  const [seq, , , , , , , , , extra, flagged] = row;
  const join = joins.get(seq);
  if (join !== undefined) job.join = join;
  if ((flagged & flags.hasAfter) !== 0) job.isAfter = true;
  if ((flagged & flags.hasStartBy) !== 0) tx.sql.run(metDeadline, seq, seq);
  if ((flagged & flags.hasKeyLimits) !== 0) countStarts(tx, seq, fence, (JSON.parse(extra ?? "{}") as { keyLimits?: readonly KeyLimit[] }).keyLimits ?? []);
}
