/** When jobs start, how often they are tried, and what becomes of those that are cancelled or whose premise is gone. */
import { deathsAloneMax, suspectsBeforeAlone } from "../../core/defaults.ts";
import { doomedAttempts, plainAttempts, retryFirstMs } from "../workload/policies.ts";
import type { Invariant } from "./invariant.ts";
import { isOf, okOf } from "./ledger.ts";
import { heldByPoison } from "./ordering.ts";

/** The store counts whole milliseconds, and the clocks of two machines run at slightly different speeds. */
const earlyMs = 5;

const neverEarly: Invariant = {
  id: "I12",
  name: "no job starts before it is due, nor is tried again before its backoff is over",
  check: ({ ledger }, found) => {
    for (const { n, calls, runs, stored } of ledger.jobs.values()) {
      for (const { asked } of calls) {
        if (asked.op !== "enqueue" || asked.delayMs === undefined || calls.length > 1) continue;
        const [start, dueMs] = [runs[0]?.from, asked.t + asked.delayMs];
        if (start !== undefined) found.look(start >= dueMs - earlyMs, () => `${n} started ${Math.round(dueMs - start)} ms before it was due`);
      }
      for (const [at, run] of runs.entries()) {
        const before = runs[at - 1];
        if (before?.end !== "failed" || before.to === undefined || run.attempt !== before.attempt + 1) continue;
        const waitedMs = run.from - before.to;
        found.look(waitedMs >= retryFirstMs - earlyMs, () => `${n} was tried again ${Math.round(waitedMs)} ms after it failed, not ${retryFirstMs}`);
      }
      for (const { slotAt, enqueuedAt } of stored) {
        if (slotAt !== undefined) found.look(enqueuedAt >= slotAt, () => `${n} was enqueued ${slotAt - enqueuedAt} ms before its slot`);
      }
    }
  },
};

const attempts: Invariant = {
  id: "I13",
  name: "a job is tried as often as its task says, a crash counts for no attempt, and no innocent is put aside",
  check: ({ ledger, causes }, found) => {
    const deaths = suspectsBeforeAlone + deathsAloneMax;
    const held = heldByPoison(ledger);
    for (const { n, runs, stored } of ledger.jobs.values()) {
      const most = runs[0]?.kind === "doomed" ? doomedAttempts : plainAttempts;
      if (runs.length > 0) found.look(Math.max(...runs.map(({ attempt }) => attempt)) <= most, () => `${n} was tried more than ${most} times`);
      for (const { kind, state, isPoison, crashes = 0, attempts: counted, reason = "" } of stored) {
        // The last one made it end.
        const looksLikePoison = crashes >= deaths - 1 && causes.lostLeases >= deaths;
        found.look(!isPoison || looksLikePoison, () => `${n} was put aside as if it had killed its worker`);
        if (isPoison || held.has(n)) continue;
        if (kind !== "doomed") found.look(state !== "dead" && state !== "parked", () => `${n} is ${state}, and its task did not fail: ${reason}`);
        else found.look(state !== "dead" || counted === doomedAttempts, () => `${n} died of ${counted} attempts, not ${doomedAttempts}`);
      }
    }
  },
};

const cancelled: Invariant = {
  id: "I11",
  name: "a job that was cancelled while it waited never starts, and one that was cancelled never ends completed",
  check: ({ ledger, causes }, found) => {
    for (const { n, cancels, runs, stored } of ledger.jobs.values()) {
      const state = stored[0]?.state;
      if (cancels.length === 0 && state !== undefined)
        found.look(state !== "cancelled" || stored[0]?.kind === "callback", () => `${n} is cancelled, and nobody cancelled it`);
      for (const call of cancels) {
        const answer = okOf(call);
        if (answer?.cancelled === "unknown") found.look(false, () => `${n} was acknowledged, and unknown to the one who cancelled it`);
        if (answer?.cancelled !== "cancelled" && answer?.cancelled !== "cancelling") continue;
        found.look(state === "cancelled", () => `${n} was answered "${answer.cancelled}", and is ${state ?? "not there"}`);
        if (answer.cancelled !== "cancelled") continue;
        const later = runs.find((run) => run.from > answer.t && causes.heldUntil(run) !== undefined);
        found.look(later === undefined, () => `${n} started in ${later?.p} after it had been cancelled`);
      }
    }
  },
};

const premises: Invariant = {
  id: "I19",
  name: "a job whose premise is gone is skipped and has no effect; the others run",
  check: ({ ledger }, found) => {
    for (const { n, calls, runs, stored } of ledger.jobs.values()) {
      const call = calls.find(({ asked }) => asked.op === "enqueue" && asked.kind === "premise");
      if (call?.asked.op !== "enqueue" || isOf(call) !== "ok" || stored[0] === undefined) continue;
      const isStale = call.asked.key === "stale";
      const { state } = stored[0];
      found.look(runs.length === 0 || !isStale, () => `${n} ran, and its premise did not hold`);
      found.look((state === "skipped") === isStale, () => `${n} is ${state}, and its premise ${isStale ? "did not hold" : "held"}`);
    }
  },
};

const resumed: Invariant = {
  id: "I18",
  name: "a job goes on from no earlier a checkpoint than the last one that was acknowledged",
  check: ({ ledger }, found) => {
    for (const { n, runs } of ledger.jobs.values()) {
      if (runs[0]?.kind !== "long") continue;
      for (const run of runs) {
        const saved = Math.max(0, ...runs.flatMap(({ saves }) => saves.filter(({ t }) => t < run.from).map(({ checkpoint }) => checkpoint)));
        found.look((run.checkpoint ?? 0) >= saved, () => `${n} went on from ${run.checkpoint ?? 0} in ${run.p}, and ${saved} had been acknowledged`);
      }
    }
  },
};

export const timingInvariants: readonly Invariant[] = [cancelled, neverEarly, attempts, resumed, premises];
