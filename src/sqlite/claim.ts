/** Hands out the most urgent ready jobs of the asked lines. Costs O(lines + jobs), whatever waits behind closed lines. */
import { claimMax, tidyMax } from "../core/defaults.ts";
import type { Claim, Claimed } from "../core/engine.ts";
import { pausedQueue, pausedTask } from "../core/notes.ts";
import { firstDeadlineAt, firstDueAt, promote, skipLateOnes } from "./due.ts";
import type { Line } from "./lines.ts";
import { codeOf } from "./numbers.ts";
import { aloneLines, chooseMostUrgent, togetherLines } from "./ready.ts";
import type { Chosen } from "./ready.ts";
import { admitMarked } from "./lanePasses.ts";
import { processAsking } from "./processes.ts";
import { settle } from "./settle.ts";
import { start } from "./start.ts";
import type { Transaction } from "./transaction.ts";

/** By primary key: O(lines). */
const readyLines = `SELECT line FROM errand_numbers WHERE line > 0 AND what = ${codeOf("ready")} AND value > 0`;

/** Looks first, without the write lock: a claim that settles nothing and would find nothing must not write. */
export function findsNothing(look: Transaction, wanted: Claim): boolean {
  if ((firstDueAt(look.sql) ?? Infinity) <= look.now || (firstDeadlineAt(look.sql) ?? Infinity) < look.now) return false;
  const lines = linesOf(look, wanted);
  const isFull = wanted.queues.every(({ slots, ahead }) => slots + ahead <= 0);
  return isFull || (wanted.alone === "only" ? aloneLines(look, lines) : togetherLines(look, lines)).length === 0;
}

/** What is answered when there is nothing: fences grow only where they are stored. */
export function nothing(look: Transaction, wanted: Claim): Claimed {
  return {
    now: look.now,
    fence: look.takeFence(wanted.lastFence),
    jobs: [],
    settled: [],
    hasSuspects: aloneLines(look, linesOf(look, wanted)).length > 0,
    ...nextDue(look),
  };
}

export function claim(tx: Transaction, wanted: Claim): Claimed {
  const settled = settle(tx, wanted.settling);
  promote(tx, tidyMax);
  skipLateOnes(tx, tidyMax);
  admitMarked(tx);
  const fence = tx.takeFence(wanted.lastFence);
  const lines = linesOf(tx, wanted);
  const process = processAsking(tx, wanted.process);
  // Something was taken back from a lost one: it must go on under a new id.
  const chosen = process?.isLost ? [] : choose(tx, wanted, lines);
  const jobs = start(tx, wanted, process, fence, chosen);
  return { now: tx.now, fence, jobs, settled, hasSuspects: aloneLines(tx, lines).length > 0, ...nextDue(tx) };
}

/** Lines with ready jobs that this claim may take from. A paused line is passed over; running jobs go on. */
function linesOf(tx: Transaction, wanted: Claim): Line[] {
  const { pauses } = tx.notices;
  const queues = new Set(wanted.queues.filter(({ queue }) => !pauses.has(pausedQueue(queue))).map(({ queue }) => queue));
  const tasks = new Set(wanted.tasks);
  const ids = new Set([...tx.sql.tuples<[number]>(readyLines).map(([id]) => id), ...tx.counters.linesGaining("ready")]);
  return [...ids]
    .map((id) => tx.dictionary.lineById(tx.sql, id))
    .filter(({ queue, task }) => queues.has(queue) && tasks.has(task) && !pauses.has(pausedTask(task)));
}

function choose(tx: Transaction, wanted: Claim, lines: readonly Line[]): Chosen[] {
  const queues = wanted.queues.map(({ queue, slots, ahead }) => ({ slots, ahead, lines: lines.filter((line) => line.queue === queue) }));
  return chooseMostUrgent(tx, queues, wanted.alone, wanted.alone === "only" ? 1 : claimMax);
}

function nextDue(tx: Transaction): { nextDueMs?: number } {
  const at = firstDueAt(tx.sql);
  return at === undefined ? {} : { nextDueMs: Math.max(0, at - tx.now) };
}
