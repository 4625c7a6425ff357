/** What the reference model remembers: plain lists, searched from end to end. Slow and plain on purpose. */
import type { After, AttemptRow, EventRow, Keep, KeyLimit, LaneMembership, LockRow, NewJob, Note, Uniqueness } from "../../src/core/engine.ts";
import type { Instant, Ms } from "../../src/core/runtime.ts";
import { isEnded } from "../../src/core/states.ts";
import type { JobState } from "../../src/core/states.ts";

export interface ModelJob {
  readonly seq: number;
  readonly id: string;
  content: string;
  readonly rememberMs: Ms;
  readonly task: string;
  readonly queue: string;
  payload: string;
  headStartMs: Ms;
  urgency: number;
  readonly enqueuedAt: Instant;
  dueAt: Instant;
  startBy: Instant | undefined;
  readonly lane: LaneMembership | undefined;
  readonly unique: Uniqueness | undefined;
  expecting: string | undefined;
  readonly keep: Keep;
  version: number | undefined;
  readonly from: NewJob["from"];
  readonly slotAt: Instant | undefined;
  readonly keyLimits: readonly KeyLimit[];
  /** Its own join; others may have adopted it. */
  readonly join: string | undefined;
  after: readonly After[];
  /** What counts from the moment it is let go. */
  delayMs: Ms | undefined;
  startWithinMs: Ms | undefined;
  state: JobState;
  /** Blocked by its join or by what it comes after: outside its lane and its key limits. */
  isHeld: boolean;
  /** Let go by the verb that goes on: among those that waited in its lane, or behind them, where these came first. */
  arrival: "among" | "behind" | undefined;
  /** Running in a row, behind the head of its lane. */
  isFollower: boolean;
  /** Blocked, and asks for room under its key limits: since this verb, or since an earlier one. */
  asks: "now" | "since" | undefined;
  asksSince: Instant;
  /** The key in whose line it stands. */
  line: string | undefined;
  /** Of one that gathers: another was stored under its key since, and may have the key now. */
  mayHaveLostKey: boolean;
  /** It was let go, and so came to its lane after others that were enqueued later. */
  wasHeld: boolean;
  /** Of a lane's member: holds one of its places. */
  isAdmitted: boolean;
  /** What it waits for while it is scheduled. */
  delayedBy: "time" | "retry" | "snooze";
  attempts: number;
  starts: number;
  suspects: number;
  claim: ModelClaim | undefined;
  cancelReason: string | undefined;
  reason: string | undefined;
  endedAt: Instant | undefined;
  isPoison: boolean;
  /** Parked by its own death, not by another's. */
  hasDied: boolean;
  history: AttemptRow[];
  checkpoint: string | undefined;
  result: string | undefined;
}

export interface ModelClaim {
  readonly process: string;
  readonly claim: string;
  readonly fence: number;
  readonly startedAt: Instant;
  /** The gates and resources of the terms under which it was handed out. */
  readonly gates: readonly string[];
  readonly needs: Readonly<Record<string, number>>;
}

/** A start that a limit of starts remembers: of a key, or of a gate (then its time is rounded up). */
export interface ModelStart {
  readonly name: string;
  readonly jobId: string;
  readonly at: Instant;
}

export interface ModelMember {
  readonly id: string;
  /** How it counts for good: its join has closed, or it was deleted before. */
  ended?: "well" | "badly";
}

export interface ModelJoin {
  readonly seq: number;
  readonly id: string;
  readonly content: string;
  readonly rememberMs: Ms;
  readonly name: string;
  readonly join: string | undefined;
  readonly after: readonly After[];
  readonly storedAt: Instant;
  touchedAt: Instant;
  isSealed: boolean;
  isOpen: boolean;
  isCancelled: boolean;
  cancelReason: string | undefined;
  /** The limit of a cancel was reached: tidy goes on with its members, though it may have closed by then. */
  isLeftOver: boolean;
  /** What it comes after ended otherwise than it asked: how its members end, and why. */
  fate: Fate | undefined;
  closedAs: "well" | "badly" | undefined;
  closedAt: Instant | undefined;
  members: ModelMember[];
  /** Works that named it before it was sealed, those that were sent again included. */
  given: number;
}

export interface Fate {
  readonly as: "cancelled" | "skipped";
  readonly reason: string;
}

/** A unique key that outlives its job. */
export interface HeldKey {
  readonly key: string;
  readonly jobId: string;
  readonly until: Instant;
}

export interface ModelProcess {
  readonly process: string;
  leaseUntil: Instant;
  /** The store took its jobs back. */
  isLost: boolean;
}

export interface ModelEvent extends EventRow {
  readonly content: string;
  readonly rememberMs: Ms;
}

export interface ModelReplay {
  readonly subscription: string;
  readonly event: string;
  /** How many events were stored when the subscription was written. */
  readonly eventIds: readonly string[];
}

export interface ModelState {
  seq: number;
  jobs: ModelJob[];
  joins: ModelJoin[];
  /** Jobs that were deleted, and joins whose staging was given up: how they ended for what comes after them. */
  gone: { readonly id: string; readonly ended: "well" | "badly"; readonly is: string; readonly isDeleted?: boolean }[];
  keyStarts: ModelStart[];
  gateStarts: ModelStart[];
  events: ModelEvent[];
  notes: Note[];
  /** Notes written or deleted so far. */
  notesWritten: number;
  replays: ModelReplay[];
  closedLanes: { readonly lane: string; readonly closedBy: string; readonly closedAt: Instant }[];
  heldKeys: HeldKey[];
  processes: ModelProcess[];
  tickets: ModelTicket[];
  fence: number;
  /** While a batch of outcomes is written: the lanes whose places are handed out once at its end. */
  lanesDue: string[] | undefined;
}

export interface ModelTicket extends Omit<LockRow, "isGranted" | "fence"> {
  readonly permits: number;
  isGranted: boolean;
  fence: number;
}

export function emptyState(): ModelState {
  return {
    seq: 0,
    jobs: [],
    joins: [],
    gone: [],
    keyStarts: [],
    gateStarts: [],
    events: [],
    notes: [],
    notesWritten: 0,
    replays: [],
    closedLanes: [],
    heldKeys: [],
    processes: [],
    tickets: [],
    fence: 0,
    lanesDue: undefined,
  };
}

/** As it is now: what changes in place is copied, the rest is shared. */
export function copyOf(state: ModelState): ModelState {
  return {
    ...state,
    jobs: state.jobs.map((job) => ({ ...job })),
    joins: state.joins.map((join) => ({ ...join, members: join.members.map((member) => ({ ...member })) })),
    gone: [...state.gone],
    keyStarts: [...state.keyStarts],
    gateStarts: [...state.gateStarts],
    events: [...state.events],
    notes: [...state.notes],
    replays: [...state.replays],
    closedLanes: [...state.closedLanes],
    heldKeys: [...state.heldKeys],
    processes: state.processes.map((process) => ({ ...process })),
    tickets: state.tickets.map((ticket) => ({ ...ticket })),
    lanesDue: state.lanesDue && [...state.lanesDue],
  };
}

export const isLive = (job: ModelJob): boolean => !isEnded(job.state);
/** Live, not running, not parked. */
export const isWaiting = (job: ModelJob): boolean => job.state === "scheduled" || job.state === "blocked" || job.state === "ready";

export function jobWithId(state: ModelState, id: string): ModelJob | undefined {
  return state.jobs.find((job) => job.id === id);
}

export function joinWithId(state: ModelState, id: string | undefined): ModelJoin | undefined {
  return id === undefined ? undefined : state.joins.find((join) => join.id === id);
}

/** The joins that a job is a member of, its own first. */
export function joinsOf(state: ModelState, job: ModelJob): ModelJoin[] {
  const all = state.joins.filter((join) => join.members.some((member) => member.id === job.id));
  return [...all.filter((join) => join.id === job.join), ...all.filter((join) => join.id !== job.join)];
}

export function processNamed(state: ModelState, process: string): ModelProcess | undefined {
  return state.processes.find((known) => known.process === process);
}

export function recordAttempt(job: ModelJob, row: AttemptRow): void {
  job.history = [...job.history, row].slice(-10);
}
