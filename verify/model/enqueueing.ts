/** What `enqueue` must do: atoms of jobs, events and notes. Follow-ups, replays and fan-out come through here as well. */
import { ErrandError } from "../../src/core/errors.ts";
import { jobFor } from "../../src/core/fanOut.ts";
import { subscriptionPrefix } from "../../src/core/notes.ts";
import type { StoredSubscription } from "../../src/core/notes.ts";
import type { Atom, Enqueued, NewEvent, NewJob, NewWork, NoteWrite, Uniqueness } from "../../src/core/engine.ts";
import type { Instant } from "../../src/core/runtime.ts";
import { beReady, enterLane } from "./lanes.ts";
import { isLive, isWaiting, jobWithId } from "./state.ts";
import type { ModelJob, ModelState } from "./state.ts";

/** Changes `state` and answers, or throws the ErrandError that refuses the atom: the caller then puts the old state back. */
export function storeAtom(state: ModelState, atom: Atom, now: Instant): Enqueued[] {
  const answers = storeWorks(state, atom.works, now);
  for (const write of atom.notes ?? []) writeNote(state, write, now);
  return answers;
}

export function storeWorks(state: ModelState, works: readonly NewWork[], now: Instant): Enqueued[] {
  return works.flatMap((work) => {
    if (work.kind === "join") return []; // engines refuse them as yet
    return work.kind === "job" ? storeJob(state, work, now) : storeEvent(state, work, now);
  });
}

export function storeJob(state: ModelState, work: NewJob, now: Instant): Enqueued {
  const same = jobWithId(state, work.id);
  if (same !== undefined) {
    if (same.content !== work.content) throw new ErrandError("id-conflict", work.id);
    return { id: same.id, isDuplicate: true, state: same.state };
  }
  return joinWinner(state, work, now) ?? storeNew(state, work, now);
}

function storeNew(state: ModelState, work: NewJob, now: Instant): Enqueued {
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
    state: "ready",
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
  state.jobs.push(job);
  enterLane(state, job, now);
  if (work.unique?.mode.is === "throttle") state.heldKeys.push({ key: work.unique.key, jobId: job.id, until: now + work.unique.mode.windowMs });
  return { id: job.id, isDuplicate: false, state: job.state };
}

// ── unique keys (G6) ────────────────────────────────────────────────────────────────────────────────

function joinWinner(state: ModelState, work: NewJob, now: Instant): Enqueued | undefined {
  if (work.unique === undefined) return undefined;
  const { key, mode } = work.unique;
  const winner = winnerOf(state, work.unique);
  if (winner !== undefined) {
    if ((mode.is === "replace" || mode.is === "debounce") && isWaiting(winner)) replace(winner, work, now);
    return { id: winner.id, isDuplicate: true, state: winner.state };
  }
  const held = state.heldKeys.find((holder) => holder.key === key && holder.until > now && !isOnlyRunning(state, holder.jobId));
  if (held === undefined) return undefined;
  const holder = jobWithId(state, held.jobId);
  return { id: held.jobId, isDuplicate: true, ...(holder && { state: holder.state }) };
}

/** A throttled key under another mode: one-more lets one wait beside the running holder. */
function isOnlyRunning(state: ModelState, jobId: string): boolean {
  return jobWithId(state, jobId)?.state === "running";
}

function winnerOf(state: ModelState, unique: Uniqueness): ModelJob | undefined {
  const live = state.jobs.filter((job) => job.unique?.key === unique.key && isLive(job));
  return unique.mode.is === "one-more" ? live.find((job) => job.state !== "running") : live[0];
}

function replace(job: ModelJob, work: NewJob, now: Instant): void {
  job.payload = work.payload;
  job.version = work.version;
  job.content = work.content;
  job.expecting = work.expecting;
  job.startBy = startByOf(work, now);
  job.headStartMs = work.headStartMs;
  job.dueAt = dueOf(work, now, job.enqueuedAt);
  job.urgency = job.dueAt - work.headStartMs;
  job.delayedBy = "time";
  if (job.state !== "blocked") beReady(job, now);
}

function dueOf(work: NewJob, now: Instant, firstEnqueuedAt: Instant): Instant {
  const mode = work.unique?.mode;
  if (mode?.is === "debounce") {
    return firstEnqueuedAt === now ? now + mode.quietMs : Math.min(now + mode.quietMs, firstEnqueuedAt + mode.atMostMs);
  }
  if (work.dueAt !== undefined) return Math.max(work.dueAt, now);
  return now + (work.delayMs ?? 0);
}

function startByOf(work: NewJob, now: Instant): Instant | undefined {
  return work.startBy ?? (work.startWithinMs === undefined ? undefined : now + work.startWithinMs);
}

// ── events (G10) ────────────────────────────────────────────────────────────────────────────────────

export function storeEvent(state: ModelState, work: NewEvent, now: Instant): Enqueued {
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
    if (subscription.event === work.name) storeHandler(state, work, subscription, now);
  }
  return { id: work.id, isDuplicate: false };
}

/** The one job of an event and a subscription; once made it is never made again, whatever became of its content. */
export function storeHandler(
  state: ModelState,
  event: Pick<NewEvent, "id" | "name" | "payload" | "orderedBy">,
  subscription: StoredSubscription,
  now: Instant,
): void {
  const job = jobFor(event, subscription);
  if (jobWithId(state, job.id) === undefined) storeJob(state, job, now);
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
