/** What follows by itself: callbacks of batches, jobs of events, slots of schedules. */
import { isEnded, type JobState } from "../../core/states.ts";
import { slotEveryMs } from "../workload/slots.ts";
import type { Invariant } from "./invariant.ts";
import { firstStart, isOf, type JobRecord, type Ledger } from "./ledger.ts";

const roles = ["succeeded", "failed", "ended"] as const;

const joined: Invariant = {
  id: "I8",
  name: "a batch has each callback once, the fitting ones run, and none before its last member has ended",
  check: ({ ledger }, found) => {
    for (const call of ledger.batches.values()) {
      const { asked } = call;
      if (asked.op !== "batch" || isOf(call) !== "ok") continue;
      // One that faults made look like poison is dead.
      const isFailing = asked.isFailing || asked.members.some((member) => ledger.job(member).stored.some(({ isPoison }) => isPoison));
      const ended = Math.max(...asked.members.map((member) => lastEnd(ledger.job(member))));
      for (const role of roles) {
        const record = ledger.job(`${asked.n}/${role}`);
        const isWanted = role === "ended" || (role === "failed") === isFailing;
        found.look(record.stored.length === 1, () => `batch ${asked.n} has ${record.stored.length} callbacks for "${role}"`);
        if (record.stored[0] !== undefined && !isEnded(record.stored[0].state as JobState)) continue; // I21
        found.look(record.runs.length > 0 === isWanted, () => `batch ${asked.n}: its callback for "${role}" ${isWanted ? "did not run" : "ran"}`);
        found.look(
          (firstStart(record) ?? Number.POSITIVE_INFINITY) >= ended,
          () => `batch ${asked.n}: its callback for "${role}" ran before its last member had ended`,
        );
      }
    }
  },
};

/** Of the runs that may have ended it, the first. */
function lastEnd({ runs }: JobRecord): number {
  const last = Math.max(...runs.map(({ attempt }) => attempt));
  const ends = runs.filter(({ attempt, end }) => end === "end" || (end === "failed" && attempt === last)).map(({ to = 0 }) => to);
  return ends.length === 0 ? 0 : Math.min(...ends);
}

const fannedOut: Invariant = {
  id: "I15",
  name: "an event has one job for each subscription",
  check: ({ ledger }, found) => {
    for (const [n, call] of ledger.events) {
      if (isOf(call) !== "ok") continue;
      for (const which of ["one", "two"]) {
        const { stored } = ledger.job(`${n}/${which}`);
        found.look(stored.length === 1, () => `event ${n} has ${stored.length} jobs for its subscription "${which}"`);
      }
    }
  },
};

/** A scheduler that is behind by so much is not late, but gone. */
const behindMs = 20_000;

const scheduled: Invariant = {
  id: "I9",
  name: "a schedule has one job for each of its slots, and none else",
  check: ({ ledger }, found) => {
    const stored = [...ledger.jobs.values()].flatMap((record) => record.stored);
    const now = stored.reduce((latest, { kind, enqueuedAt }) => (kind === "slot" ? latest : Math.max(latest, enqueuedAt)), 0);
    for (const [schedule, everyMs] of Object.entries(slotEveryMs)) {
      const slots = slotsOf(ledger, schedule);
      const [first, last] = [Math.min(...slots.keys()), Math.max(...slots.keys())];
      found.look(
        slots.size > 0 && last >= now - behindMs,
        () => `schedule ${schedule} made ${slots.size === 0 ? "no job" : `none in the last ${now - last} ms`}`,
      );
      for (const [slot, jobs] of slots) {
        found.look(slot % everyMs === 0, () => `schedule ${schedule} has a job for ${slot}, which is no slot of it`);
        found.look(jobs === 1, () => `schedule ${schedule} has ${jobs} jobs for its slot ${slot}`);
      }
      for (let slot = first; slot < last; slot += everyMs) found.look(slots.has(slot), () => `schedule ${schedule} has no job for its slot ${slot}`);
    }
  },
};

/** How many jobs each has. */
function slotsOf(ledger: Ledger, schedule: string): Map<number, number> {
  const slots = new Map<number, number>();
  for (const { n, stored } of ledger.jobs.values()) {
    if (!n.startsWith(`${schedule}/`)) continue;
    const slot = Number(n.slice(schedule.length + 1));
    if (stored.length > 0) slots.set(slot, stored.length);
  }
  return slots;
}

export const followingInvariants: readonly Invariant[] = [joined, scheduled, fannedOut];
