/** Limits by key (G9): who holds room, and who is given it. A job that waits for room holds none. */
import type { KeyLimit } from "../../src/core/engine.ts";
import type { Instant, Ms } from "../../src/core/runtime.ts";
import type { Choices } from "./cascading.ts";
import { endTooLate, isClosed, isTooLate, leaveLane } from "./lanes.ts";
import type { ModelJob, ModelState } from "./state.ts";

/**
 * Gives room to the most urgent that ask; true: to one of them. Who stands in the line of a key keeps those behind it from taking its room.
 * An engine may leave those that waited before this verb to tidy, but nobody may overtake them. Who comes to ask in another round or pass of this verb than others
 * who do may find that they were given room before it; `isLast`: they must have what room is left.
 */
export function giveRoom(state: ModelState, now: Instant, choices: Choices, isLast = false): boolean {
  const late = state.jobs.find((job) => isAsking(state, job) && isTooLate(job, now) && choices.isTaken({ does: "skip", job }));
  const job = late ?? next(state, now, choices, isLast);
  if (job !== undefined) take(state, job, now, job === late);
  return job !== undefined;
}

/**
 * The most urgent that has room. Of those that asked in this verb, and pass nobody who waited for a key of theirs, the one with the smallest number: what fits
 * in some order fits in this one.
 */
function next(state: ModelState, now: Instant, choices: Choices, isLast: boolean): ModelJob | undefined {
  const barred = new Set<string>();
  const barredByNew = new Set<string>();
  const fits: ModelJob[] = [];
  for (const job of state.jobs.filter((one) => isAsking(state, one)).toSorted(byUrgency)) {
    const isFull = (limit: KeyLimit): boolean => barred.has(limit.key) || !hasRoom(state, limit, now);
    const isNew = job.asks === "now";
    const stands = isNew ? undefined : job.keyLimits.find((limit) => limit.key === job.line && isFull(limit));
    const full = (stands ?? job.keyLimits.find(isFull))?.key;
    // A late one that is not skipped has not been looked at: it may be made to last before it is.
    const isLeft = !isNew && !choices.isInPasses && isTooLate(job, now);
    const mayBeGiven = (isNew && isLast && !job.keyLimits.some(({ key }) => barredByNew.has(key))) || choices.isTaken({ does: "giveRoom", job });
    if (full === undefined && mayBeGiven && !isLeft) fits.push(job);
    else if (full !== undefined || !isNew) (isNew && (choices.isInPasses || job.wasHeld) ? barredByNew : barred).add(stand(job, full, choices));
  }
  const [first] = fits;
  const least = (job: ModelJob): number => Math.min(...job.keyLimits.map(({ is }) => ("running" in is ? is.running : is.starts)));
  const passes = (job: ModelJob, index: number): boolean => fits.slice(0, index).some((other) => other.asks === "since" && shareKey(job, other));
  return first?.asks === "now" ? fits.filter((job, index) => job.asks === "now" && !passes(job, index)).toSorted((a, b) => least(a) - least(b))[0] : first;
}

function shareKey(a: ModelJob, b: ModelJob): boolean {
  return a.keyLimits.some(({ key }) => b.keyLimits.some((limit) => limit.key === key));
}

/** In the line of the key that is full; one that has not been looked at again stays where it stood. */
function stand(job: ModelJob, full: string | undefined, choices: Choices): string {
  const isLeft = job.line !== undefined && choices.lineOf(job) === job.line;
  if (full !== undefined && !isLeft) job.line = full;
  return job.line ?? "";
}

function isAsking(state: ModelState, job: ModelJob): boolean {
  return job.asks !== undefined && (job.lane === undefined || !isClosed(state, job.lane.key));
}

/** If it had to wait, it takes its place among the ready ones as of now; one that is too late by then is skipped. */
function take(state: ModelState, job: ModelJob, now: Instant, isLate: boolean): void {
  const hasWaited = job.asks === "since" && job.asksSince < now;
  if (isLate || (job.asks === "since" && isTooLate(job, now))) {
    endTooLate(job, now);
    return leaveLane(state, job, now);
  }
  if (hasWaited) job.urgency = now - job.headStartMs;
  job.state = "ready";
  job.asks = undefined;
  job.line = undefined;
}

export function hasRoom(state: ModelState, limit: KeyLimit, now: Instant): boolean {
  return usedOf(state, limit, now) < ("running" in limit.is ? limit.is.running : limit.is.starts);
}

function usedOf(state: ModelState, { key, is }: KeyLimit, now: Instant): number {
  const under = state.jobs.filter((job) => job.keyLimits.some((limit) => limit.key === key));
  const ready = under.filter((job) => job.state === "ready").length;
  if ("running" in is) return ready + under.filter((job) => job.state === "running").length;
  return ready + startsOf(state, key, is.everyMs, now).length;
}

function startsOf(state: ModelState, key: string, everyMs: Ms, now: Instant): Instant[] {
  return state.keyStarts.filter((start) => start.name === key && start.at + everyMs > now).map((start) => start.at);
}

export function rememberStart(state: ModelState, job: ModelJob, now: Instant): void {
  for (const { key, is } of job.keyLimits) if ("starts" in is) state.keyStarts.push({ name: key, jobId: job.id, at: now });
}

/** A release gives the start back: one under each of its keys. */
export function forgetStart(state: ModelState, job: ModelJob, startedAt: Instant): void {
  for (const { key } of job.keyLimits) {
    const index = state.keyStarts.findLastIndex((start) => start.name === key && start.jobId === job.id && start.at === startedAt);
    if (index >= 0) state.keyStarts.splice(index, 1);
  }
}

/** When limits of starts have room again for the next in their lines; `mayBe`: when any of their starts ceases to count. */
export function roomTimes(state: ModelState, now: Instant): { readonly room: Instant[]; readonly mayBe: Instant[] } {
  const asking = state.jobs.filter((job) => job.asks !== undefined);
  const mayBe = asking.flatMap((job) => job.keyLimits.flatMap((limit) => endsOf(state, limit, now)));
  const lines = new Set(asking.flatMap((job) => job.line ?? []));
  const room = [...lines].flatMap((key) => {
    const [head] = asking.filter((job) => job.line === key).toSorted(byUrgency);
    const limit = head?.keyLimits.find((one) => one.key === key);
    if (limit === undefined || "running" in limit.is || hasRoom(state, limit, now)) return [];
    const toGo = usedOf(state, limit, now) - limit.is.starts;
    return endsOf(state, limit, now).slice(toGo, toGo + 1);
  });
  return { room, mayBe };
}

function endsOf(state: ModelState, { key, is }: KeyLimit, now: Instant): Instant[] {
  if ("running" in is) return [];
  const ends = startsOf(state, key, is.everyMs, now).map((at) => at + is.everyMs);
  return ends.toSorted((a, b) => a - b);
}

export const byUrgency = (a: ModelJob, b: ModelJob): number => a.urgency - b.urgency || a.seq - b.seq;
