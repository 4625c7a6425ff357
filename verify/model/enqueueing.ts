/** What `enqueue` must do: atoms of jobs, events and notes. Follow-ups, replays and fan-out come through here as well. */
import { ErrandError } from "../../src/core/errors.ts";
import { jobFor } from "../../src/core/fanOut.ts";
import { subscriptionPrefix } from "../../src/core/notes.ts";
import type { StoredSubscription } from "../../src/core/notes.ts";
import type { Atom, BirthLease, Enqueued, NewEvent, NewJob, NewJoin, NewWork, NoteWrite } from "../../src/core/engine.ts";
import type { Instant } from "../../src/core/runtime.ts";
import { cascade, drop } from "./cascading.ts";
import type { Choices } from "./cascading.ts";
import { isPaused, renew, start } from "./claiming.ts";
import { letsThrough } from "./gates.ts";
import { adopt, checkAfter, enterJoin, isShut, seal, storeJoin } from "./joining.ts";
import { isMet, unmetOf } from "./joins.ts";
import { endTooLate, enterLane, isTooLate } from "./lanes.ts";
import { joinWithId, jobWithId, processNamed } from "./state.ts";
import type { ModelJob, ModelState } from "./state.ts";
import { dueOf, isDebounced, joinWinner, startByOf } from "./uniqueness.ts";

/** What only the store can know of what it stores. */
export interface Storing extends Choices {
  /** Who it says won the unique key of this work. */
  readonly winner: (workId: string) => string | undefined;
  /** Of one that gathers: whether it shows more elements than it had. */
  readonly hasGrown: (job: ModelJob) => boolean;
  /** The fence of a job that is born leased. */
  readonly fenceOf: (workId: string) => number;
  /** The code with which it refused the atom. */
  readonly refusal?: string | undefined;
  /** The content of a job as the atom found it: one that replaces it there changes nothing for what the same id means in that atom. */
  readonly contentBefore?: (id: string) => string | undefined;
}

/** Changes `state` and answers, or throws the ErrandError that refuses the atom: the caller then puts the old state back. */
export function storeAtom(state: ModelState, atom: Atom, now: Instant, told: Storing): Enqueued[] {
  const answers = storeWorks(state, atom.works, now, told);
  for (const write of atom.notes ?? []) writeNote(state, write, now);
  cascade(state, now, told);
  return answers.map((answer, index) => asOfTheEnd(state, answer, atom.works[index], now, told));
}

/** The works of one atom. An id that lost its unique key there means the winner in what comes after it, also where that is gone. */
export function storeWorks(state: ModelState, works: readonly NewWork[], now: Instant, asTold: Storing): Enqueued[] {
  const contents = new Map(state.jobs.map(({ id, content }) => [id, content]));
  const told: Storing = { ...asTold, contentBefore: (id) => contents.get(id) };
  const winners = new Map<string, string>();
  const answers = works.map((work) => {
    const after = (work.kind === "event" ? undefined : work.after)?.map(({ id, when }) => ({ id: winners.get(id) ?? id, when }));
    const meant = { ...work, ...(after && { after }) } as NewWork;
    const answer = isRepeated(state, works, meant) ? { id: work.id, isDuplicate: true } : storeWork(state, meant, new Set(winners.values()), now, told);
    winners.set(work.id, answer.id);
    return answer;
  });
  for (const work of works) if (work.kind === "join" && work.isSealed) seal(state, work, told);
  return answers;
}

/** New to a join that takes none, in an atom that stores this very join again: that is a repeat of what was stored, and its key was lost or its id is forgotten. */
function isRepeated(state: ModelState, works: readonly NewWork[], work: NewWork): boolean {
  const join = work.kind === "event" ? undefined : joinWithId(state, work.join);
  if (work.kind === "event" || join === undefined || isStored(state, work) || !isShut(join)) return false;
  return works.some((other) => other.kind === "join" && other.id === join.id && other.content === join.content);
}

function storeWork(state: ModelState, work: NewWork, winners: ReadonlySet<string>, now: Instant, told: Storing): Enqueued {
  if (work.kind === "event") return storeEvent(state, work, now, told);
  // Of a known id nothing has to be looked at; of one that came earlier in this atom it may be.
  if (!isStored(state, work) || told.refusal === "after-unknown") checkAfter(state, work, winners);
  return work.kind === "join" ? storeJoin(state, work, now, told) : storeJob(state, work, now, told);
}

function isStored(state: ModelState, { kind, id }: NewJob | NewJoin): boolean {
  return (kind === "join" ? joinWithId(state, id) : jobWithId(state, id)) !== undefined;
}

export function storeJob(state: ModelState, work: NewJob, now: Instant, told: Storing): Enqueued {
  const same = jobWithId(state, work.id);
  if (same !== undefined && (told.contentBefore?.(work.id) ?? same.content) !== work.content) throw new ErrandError("id-conflict", work.id);
  const duplicate = same === undefined ? joinWinner(state, work, now, told) : { id: same.id, isDuplicate: true, state: same.state };
  if (duplicate !== undefined) {
    adopt(state, work, duplicate.id, now, told);
    return duplicate;
  }
  enterJoin(state, work, now, told);
  return storeNew(state, work, now, told);
}

/** The state after the atom; and whether it is born leased, which is decided then. */
function asOfTheEnd(state: ModelState, answer: Enqueued, work: NewWork | undefined, now: Instant, told: Storing): Enqueued {
  const job = jobWithId(state, answer.id);
  if (work?.kind !== "job" || job === undefined) return answer;
  const leased = work.lease && !answer.isDuplicate ? leaseAtBirth(state, job, work.lease, now, told.fenceOf(work.id)) : undefined;
  return { ...answer, state: job.state, ...(leased && { leased }) };
}

function storeNew(state: ModelState, work: NewJob, now: Instant, told: Storing): Enqueued {
  const dueAt = dueOf(work, now, now);
  const job: ModelJob = {
    seq: ++state.seq,
    id: work.id,
    content: work.content,
    rememberMs: work.rememberMs,
    task: work.task,
    queue: work.queue,
    payload: work.payload,
    headStartMs: work.headStartMs,
    urgency: dueAt - work.headStartMs,
    enqueuedAt: now,
    dueAt,
    startBy: startByOf(work, now),
    lane: work.lane,
    unique: work.unique,
    expecting: work.expecting,
    keep: work.keep,
    version: work.version,
    from: work.from,
    slotAt: work.slot?.at,
    keyLimits: work.keyLimits ?? [],
    join: work.join,
    after: work.after ?? [],
    delayMs: isDebounced(work) ? undefined : work.delayMs,
    startWithinMs: work.startBy === undefined ? work.startWithinMs : undefined,
    state: "blocked",
    isHeld: false,
    arrival: undefined,
    isFollower: false,
    asks: undefined,
    asksSince: now,
    line: undefined,
    wasHeld: false,
    mayHaveLostKey: false,
    isAdmitted: false,
    delayedBy: "time",
    attempts: 0,
    starts: 0,
    suspects: 0,
    claim: undefined,
    cancelReason: undefined,
    reason: undefined,
    endedAt: undefined,
    isPoison: false,
    hasDied: false,
    history: [],
    checkpoint: undefined,
    result: undefined,
  };
  if (work.unique?.mode.is === "gather") for (const other of state.jobs) if (other.unique?.key === work.unique.key) other.mayHaveLostKey = true;
  state.jobs.push(job);
  if (work.unique?.mode.is === "throttle") state.heldKeys.push({ key: work.unique.key, jobId: job.id, until: now + work.unique.mode.windowMs });
  settleIn(state, job, work, now, told);
  return { id: job.id, isDuplicate: false, state: job.state };
}

/** Where a new job stands: it has ended at once, is held, or takes its place in its lane. */
function settleIn(state: ModelState, job: ModelJob, work: NewJob, now: Instant, told: Storing): void {
  const fate = unmetOf(state, job.after);
  const join = joinWithId(state, job.join);
  if (fate !== undefined) {
    job.startBy = work.startBy;
    return drop(job, fate, now);
  }
  job.isHeld = (join !== undefined && !join.isOpen) || !isMet(state, job.after);
  if (job.isHeld) {
    job.startBy = work.startBy;
    return;
  }
  if (job.lane === undefined && job.keyLimits.length === 0 && isTooLate(job, now) && told.isTaken({ does: "skip", job })) return endTooLate(job, now);
  enterLane(state, job, now);
}

/** Running from the start, where it is ready, its line is open, and the process and the terms are what they must be (see BirthLease). */
function leaseAtBirth(state: ModelState, job: ModelJob, lease: BirthLease, now: Instant, fence: number): Enqueued["leased"] {
  const { process, claim, terms = {}, leaseMs } = lease;
  const isLost = processNamed(state, process)?.isLost ?? false;
  if (job.state !== "ready" || isTooLate(job, now) || isPaused(state, job) || isLost || !letsThrough(state, terms, now)) return undefined;
  start(state, job, { process, claim, fence, startedAt: now }, terms);
  renew(state, process, now + leaseMs);
  return { fence, now };
}

// ── events (G10) ────────────────────────────────────────────────────────────────────────────────────

export function storeEvent(state: ModelState, work: NewEvent, now: Instant, told: Storing): Enqueued {
  const same = state.events.find((event) => event.id === work.id);
  if (same !== undefined) {
    if (same.content !== work.content) throw new ErrandError("id-conflict", work.id);
    return { id: same.id, isDuplicate: true };
  }
  state.events.push({
    id: work.id,
    name: work.name,
    payload: work.payload,
    publishedAt: now,
    content: work.content,
    rememberMs: work.rememberMs,
    ...(work.orderedBy && { orderedBy: work.orderedBy }),
  });
  for (const subscription of subscriptionsOf(state)) {
    if (subscription.event === work.name) storeHandler(state, work, subscription, now, told);
  }
  return { id: work.id, isDuplicate: false };
}

/** The one job of an event and a subscription; once made it is never made again, whatever became of its content. */
export function storeHandler(
  state: ModelState,
  event: Pick<NewEvent, "id" | "name" | "payload" | "orderedBy">,
  subscription: StoredSubscription,
  now: Instant,
  told: Storing,
): void {
  const job = jobFor(event, subscription);
  if (jobWithId(state, job.id) === undefined) storeJob(state, job, now, told);
}

export function subscriptionsOf(state: ModelState): StoredSubscription[] {
  const notes = state.notes.filter((note) => note.key.startsWith(subscriptionPrefix)).toSorted((a, b) => (a.key < b.key ? -1 : 1));
  return notes.map((note) => JSON.parse(note.value) as StoredSubscription);
}

// ── notes ───────────────────────────────────────────────────────────────────────────────────────────

function writeNote(state: ModelState, write: NoteWrite, now: Instant): void {
  const old = state.notes.find((note) => note.key === write.key);
  if (write.ifVersion !== undefined && write.ifVersion !== (old?.version ?? 0)) throw new ErrandError("note-conflict", write.key);
  if (old === undefined && write.value === undefined) return;
  state.notesWritten += 1;
  state.notes = state.notes.filter((note) => note.key !== write.key);
  if (write.value !== undefined) state.notes.push({ key: write.key, version: (old?.version ?? 0) + 1, value: write.value, writtenAt: now });
  if (write.key.startsWith(subscriptionPrefix)) planReplay(state, write, old === undefined);
}

/** History for a subscription that is written for the first time; none any more for one that is retired. */
function planReplay(state: ModelState, write: NoteWrite, isNew: boolean): void {
  const name = write.key.slice(subscriptionPrefix.length);
  if (write.value === undefined) {
    state.replays = state.replays.filter((replay) => replay.subscription !== name);
    return;
  }
  const subscription = JSON.parse(write.value) as StoredSubscription;
  if (!isNew || subscription.since !== "beginning") return;
  const eventIds = state.events.filter((event) => event.name === subscription.event).map((event) => event.id);
  state.replays.push({ subscription: name, event: subscription.event, eventIds });
}
