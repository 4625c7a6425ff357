/** Hands out the most urgent ready jobs of the asked lines. Costs O(lines + jobs), whatever waits behind closed lines. */
import { claimMax, tidyMax } from "../core/defaults.ts";
import type { Claim, Claimed } from "../core/engine.ts";
import { pausedQueue, pausedTask } from "../core/notes.ts";
import { aftermath } from "./aftermath.ts";
import { firstDeadlineAt, firstDueAt, promote, skipLateOnes } from "./due.ts";
import type { Line } from "./lines.ts";
import { codeOf } from "./numbers.ts";
import { aloneLines, chooseMostUrgent, togetherLines } from "./ready.ts";
import type { Chosen } from "./ready.ts";
import { firstFreeAt, noteFreed } from "./keyLimit.ts";
import { processAsking } from "./processes.ts";
import { Room } from "./room.ts";
import { settleEach, withStates } from "./settle.ts";
import { start } from "./start.ts";
import type { Transaction } from "./transaction.ts";

/** By primary key. */
const readyOf = `SELECT value FROM errand_numbers WHERE line = ? AND what = ${codeOf("ready")}`;
/** By primary key: O(lines). */
const readyLines = `SELECT line FROM errand_numbers WHERE line > 0 AND what = ${codeOf("ready")} AND value > 0`;

/** Looks first, without the write lock: a claim that settles nothing and would find nothing must not write. */
export function findsNothing(look: Transaction, wanted: Claim): boolean {
  if ((firstDueAt(look.sql) ?? Infinity) <= look.now || (firstDeadlineAt(look.sql) ?? Infinity) < look.now) return false;
  if ((firstFreeAt(look.sql) ?? Infinity) <= look.now) return false;
  const lines = openLines(look, wanted, linesOf(look, wanted));
  return lines.length === 0 || (wanted.alone === "only" ? aloneLines(look, lines) : togetherLines(look, lines, new Room(look, wanted.terms))).length === 0;
}

/** What is answered when there is nothing: fences grow only where they are stored. */
export function nothing(look: Transaction, wanted: Claim): Claimed {
  const lines = linesOf(look, wanted);
  return {
    now: look.now,
    fence: look.takeFence(wanted.lastFence),
    jobs: [],
    settled: [],
    hasSuspects: aloneLines(look, lines).length > 0,
    ...nextDue(look, lines, new Room(look, wanted.terms)),
  };
}

export function claim(tx: Transaction, wanted: Claim): Claimed {
  const written = settleEach(tx, wanted.settling);
  skipLateOnes(tx, tidyMax);
  promote(tx, tidyMax);
  noteFreed(tx, tidyMax);
  aftermath(tx);
  const settled = withStates(tx, written);
  const fence = tx.takeFence(wanted.lastFence);
  const lines = linesOf(tx, wanted);
  const process = processAsking(tx, wanted.process);
  // Something was taken back from a lost one: it must go on under a new id.
  const room = new Room(tx, wanted.terms);
  const chosen = process?.isLost ? [] : choose(tx, wanted, lines, room);
  const jobs = start(tx, { ...wanted, fence }, process, chosen, room);
  aftermath(tx);
  tx.writeKeys();
  return { now: tx.now, fence, jobs, settled, hasSuspects: aloneLines(tx, lines).length > 0, ...nextDue(tx, lines, new Room(tx, wanted.terms)) };
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

/** Lines of queues that have room, of tasks whose terms leave some. */
function openLines(tx: Transaction, { queues, terms }: Claim, lines: readonly Line[]): Line[] {
  const slots = new Map(queues.filter(({ slots: free, ahead }) => free + ahead > 0).map(({ queue, slots: free }) => [queue, free]));
  const room = new Room(tx, terms);
  return lines.filter(({ queue, task }) => {
    const free = slots.get(queue);
    return free !== undefined && room.leftOf(task) >= 1 && (free > 0 || !room.isGated(task));
  });
}

function choose(tx: Transaction, { alone, inRow = 1, queues }: Claim, lines: readonly Line[], room: Room): Chosen[] {
  const open = queues.map(({ queue, slots, ahead }) => ({ slots, ahead, lines: lines.filter((line) => line.queue === queue) }));
  return chooseMostUrgent(tx, { queues: open, alone, most: alone === "only" ? 1 : claimMax, inRow, room });
}

/** When the next is due; or a key limit, or a limit of starts that keeps ready jobs waiting, has room again. */
function nextDue(tx: Transaction, lines: readonly Line[], room: Room): { nextDueMs?: number } {
  const gated = lines.filter(({ task }) => room.isGated(task));
  const waiting = gated.length === 0 ? [] : gated.filter(({ id }) => (tx.sql.value<number>(readyOf, id) ?? 0) + tx.counters.changeOf(id, "ready") > 0);
  const freed = [...new Set(waiting.map(({ task }) => task))].map((task) => room.freeAt(task));
  const at = Math.min(...[firstDueAt(tx.sql), firstFreeAt(tx.sql), ...freed].map((instant) => instant ?? Infinity));
  return at === Infinity ? {} : { nextDueMs: Math.max(0, at - tx.now) };
}
