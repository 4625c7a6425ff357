/** A job's life: each change of state with all that follows from it. Every verb changes jobs through these. */
import type { AttemptRow, StoredError } from "../core/engine.ts";
import type { EndedState } from "../core/states.ts";
import { publishDeath } from "./fanOut.ts";
import { isFollower, isLate, jobAt, remember, startsOf } from "./job.ts";
import type { Job } from "./job.ts";
import { admitFollowers, breakRow, close, closedBy, isAnyBefore, leaveLane, membersAt, places, put } from "./lane.ts";
import { move } from "./move.ts";
import type { Change } from "./move.ts";
import type { Transaction } from "./transaction.ts";

export interface Ending {
  /** The number of the claim it tells of. Default: the last one. */
  readonly start?: number;
  readonly reason?: string | undefined;
  readonly error?: StoredError | undefined;
  readonly ranMs?: number | undefined;
  readonly isPoison?: boolean | undefined;
}

/** It ends, leaves its lane and frees its unique key. An ending that was not clean is recorded. */
export function end(tx: Transaction, job: Job, state: EndedState, ending: Ending, change: Change = {}): void {
  if (state !== "completed") remember(job, attemptRow(tx, job, state, ending));
  const reason = reasonOf(ending);
  move(tx, job, state, reason === null ? change : { ...change, reason });
  leaveLane(tx, job);
}

/** It dies: dead, or parked where its lane says so. Its death is published. */
export function die(tx: Transaction, job: Job, ending: Ending, change: Change): void {
  remember(job, attemptRow(tx, job, "dead", ending));
  const died: Change = { ...change, reason: reasonOf(ending), isPoison: ending.isPoison ? 1 : 0, hasDied: 1 };
  if (job.lane !== null && job.ifDead === "park") closeBehind(tx, job.lane, job, died);
  else if (job.lane !== null && job.ifDead === "block") {
    breakRow(tx, job.lane);
    put(tx, job.lane, job.seq, places.head);
    move(tx, job, "parked", died);
  } else {
    move(tx, job, "dead", died);
    leaveLane(tx, job);
  }
  publishDeath(tx, job);
}

/** It waits again: for its time or for a worker; unless its lane was closed meanwhile, or it is too late to start, or it ran ahead of its turn. */
export function wait(tx: Transaction, job: Job, change: Change = {}): void {
  if (job.lane !== null && job.state === "running") breakRow(tx, job.lane);
  if (job.lane === null) waitInOpenLane(tx, job, change);
  else if (closedBy(tx, job.lane) !== undefined) park(tx, job.lane, job, change);
  else if (isFollower(job) && goesBehind(tx, job.lane, job)) move(tx, job, "blocked", change);
  else waitInOpenLane(tx, job, change);
}

/** As {@link wait}, where the lane is known to be open. */
export function waitInOpenLane(tx: Transaction, job: Job, change: Change): void {
  const { startBy, starts, dueAt } = { ...job, ...change };
  if (isLate({ startBy, starts }, tx.now)) skipLate(tx, job, change);
  else move(tx, job, dueAt > tx.now ? "scheduled" : "ready", change);
}

/** It was not started in time. */
export function skipLate(tx: Transaction, job: Job, change: Change = {}): void {
  tx.skipped += 1;
  end(tx, job, "skipped", { start: 0, reason: `too late: not started by ${new Date(job.startBy ?? tx.now).toISOString()}` }, change);
}

export function park(tx: Transaction, lane: string, job: Job, change: Change = {}): void {
  put(tx, lane, job.seq, places.parked);
  move(tx, job, "parked", change);
}

/** What one that was parked takes along into life. */
export function leavePark(job: Job): Change {
  return job.hasDied === 1 ? anew(job) : {};
}

/** A new start: attempts, starts and suspicion begin anew; the history stays. One that had started in time need not do so again. */
export function anew(job: Job): Change {
  return { attempts: 0, starts: 0, suspects: 0, hasDied: 0, isPoison: 0, reason: null, ...(job.starts > 0 && { startBy: null }) };
}

export function attemptRow(tx: Transaction, job: Job, is: AttemptRow["is"], ending: Ending): AttemptRow {
  return {
    start: ending.start ?? startsOf(job),
    is,
    at: tx.now,
    ...(ending.ranMs !== undefined && { ranMs: ending.ranMs }),
    ...(ending.reason !== undefined && { reason: ending.reason }),
    ...(ending.error && { error: ending.error }),
  };
}

/** It was handed out in a row: while an earlier member lives, it goes back behind it; else it is the one that is admitted. */
function goesBehind(tx: Transaction, lane: string, job: Job): boolean {
  const isBehind = isAnyBefore(tx, lane, job.seq);
  put(tx, lane, job.seq, isBehind ? places.blocked : places.admitted);
  if (isBehind) tx.lanesToAdmit.add(lane);
  return isBehind;
}

/** The lane closes. Its admitted members, at most its width, are parked at once; the blocked ones by tidy. */
function closeBehind(tx: Transaction, lane: string, job: Job, died: Change): void {
  close(tx, lane, job.id);
  // Those that run in a row are not parked while they run.
  admitFollowers(tx, lane);
  park(tx, lane, job, died);
  for (const seq of membersAt(tx, lane, places.admitted, widthMax)) {
    const member = jobAt(tx, seq);
    if (member && member.state !== "running") park(tx, lane, member);
  }
}

const widthMax = 1_000;

function reasonOf(ending: Ending): string | null {
  return ending.reason ?? ending.error?.message ?? null;
}
