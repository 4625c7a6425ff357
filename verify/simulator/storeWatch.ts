/** What must hold at the store, call by call, in the order in which it did them. Complaints begin with the number of the invariant. */
import type * as port from "../../src/core/engine.ts";
import { subscriptionPrefix } from "../../src/core/notes.ts";
import type { Instant } from "../../src/core/runtime.ts";
import { isEnded, type JobState } from "../../src/core/states.ts";
import { LockWatch } from "./lockWatch.ts";

interface Held {
  readonly process: string;
  readonly claim: string;
  readonly fence: number;
}

interface Seen {
  readonly id: string;
  task: string;
  lane: string | undefined;
  fence: number;
  held: Held | undefined;
  ended: JobState | undefined;
  /** A retry or a snooze was asked for until then. */
  notBefore: Instant;
  isCancelling: boolean;
  /** The last that was written of its progress. */
  checkpoint: string | undefined;
  /** How often it was handed out since a run of it came to an outcome. */
  handedOut: number;
  batch: number | undefined;
}

/** What the workload asks of the store. */
export interface Bounds {
  /** What orders a job, if anything does: by its input, whatever the store made of that. */
  laneOf(job: port.ClaimedJob): string | undefined;
  /** The batch that a job is a member of; the batch that it is the callback of. */
  batchOf(task: string, payload: string): number | undefined;
  callbackOf(job: port.ClaimedJob): number | undefined;
  /** By task, the limits that its jobs are under. */
  readonly running: Readonly<Record<string, number>>;
  readonly starts: Readonly<Record<string, { readonly most: number; readonly everyMs: number }>>;
  readonly attemptsMax: number;
}

/** What was seen of one past of the store. */
class Past {
  readonly jobs: Map<string, Seen> = new Map();
  readonly leases: Map<string, Instant> = new Map();
  readonly starts: Map<string, Instant[]> = new Map();
  /** By lane: its jobs in the order in which their completion was written. What a run does that is no longer the owner is not its lane's. */
  readonly inLanes: Map<string, string[]> = new Map();
  readonly subscriptions: Set<string> = new Set();
  /** By event: the subscriptions that there were. */
  readonly expected: Map<string, readonly string[]> = new Map();
  readonly deleted: Set<string> = new Set();
  readonly locks: LockWatch;
  /** The store's time of the last call, and of the last that wrote something. */
  latest: Instant = 0;
  written: Instant = 0;

  constructor(holds: (does: boolean, invariant: string, otherwise: string) => void) {
    this.locks = new LockWatch(holds, (process) => this.leases.get(process) ?? 0);
  }
}

export class StoreWatch {
  readonly complaints: string[] = [];
  /** Jobs that were taken back from processes whose leases had ended. */
  takenBack = 0;
  readonly #bounds: Bounds;
  /** Over all pasts: what was given once is never given again. */
  #fence = 0;
  #past: Past;
  #isAgain = false;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
    this.#past = this.#newPast();
  }

  /** The same store, watched. */
  watched(store: port.Engine): port.Engine {
    const own: Partial<port.Engine> = {
      enqueue: async (atoms, at) => this.#stored(atoms, await store.enqueue(atoms, at), at),
      claim: async (wanted, at) => this.#claimed(wanted, await store.claim(wanted, at)),
      settle: async (outcomes, at) => this.#settled(outcomes, await store.settle(outcomes, at), at),
      beat: async (process, leaseMs, at) => this.#beaten(process, leaseMs, await store.beat(process, leaseMs, at), at),
      tidy: async (pass, at) => this.#tidied(await store.tidy(pass, at)),
      change: async (which, change, limit, at) => this.#changed(await store.change(which, change, limit, at), at),
      lock: async (request, at) => this.#locked(request, await store.lock(request, at), at),
      unlock: async (grant, at) => this.#unlocked(grant, await store.unlock(grant, at)),
    };
    return new Proxy(store, {
      get: (target, name) => {
        const verb: unknown = Reflect.get(own, name) ?? Reflect.get(target, name, target);
        return typeof verb === "function" ? (verb.bind(target) as unknown) : verb;
      },
    });
  }

  /** What `again` does was seen before, from the very beginning. */
  async anew(again: () => Promise<void>): Promise<void> {
    const before = this.complaints.length;
    this.#past = this.#newPast();
    this.#isAgain = true;
    await again();
    this.#isAgain = false;
    this.complaints.splice(before);
  }

  /** The store's time at the last call. */
  get now(): Instant {
    return this.#past.latest;
  }

  get inLanes(): ReadonlyMap<string, readonly string[]> {
    return this.#past.inLanes;
  }

  /** The state in which a job was seen to end. */
  endOf(id: string): JobState | undefined {
    return this.#past.jobs.get(id)?.ended;
  }

  /** How often a job was handed out since a run of it came to an outcome. */
  handedOut(id: string): number {
    return this.#past.jobs.get(id)?.handedOut ?? 0;
  }

  /** The subscriptions that there were when an event was stored. */
  subscriptionsOf(event: string): readonly string[] {
    return this.#past.expected.get(event) ?? [];
  }

  isDeleted(id: string): boolean {
    return this.#past.deleted.has(id);
  }

  /** The store's clock, which goes back no further than to where something was written. */
  #at({ now = 0 }: port.At<unknown>, hasWritten: boolean): Instant {
    const past = this.#past;
    const at = Math.max(past.written, now);
    past.latest = Math.max(past.latest, at);
    if (hasWritten) past.written = at;
    return at;
  }

  #stored(atoms: readonly port.Atom[], answers: Awaited<ReturnType<port.Engine["enqueue"]>>, at: port.At<unknown>): typeof answers {
    const now = this.#at(at, false);
    for (const [place, answer] of answers.entries()) {
      const { works = [], notes = [] } = atoms[place] ?? {};
      if (answer instanceof Error) continue;
      for (const { key, value } of notes) {
        if (!key.startsWith(subscriptionPrefix)) continue;
        if (value === undefined) this.#past.subscriptions.delete(key);
        else this.#past.subscriptions.add(key);
      }
      for (const [nth, work] of works.entries()) this.#storedOne(work, answer[nth], now);
    }
    return answers;
  }

  #storedOne(work: port.NewWork, answer: port.Enqueued | undefined, now: Instant): void {
    if (answer === undefined) return;
    if (work.kind === "event" && !answer.isDuplicate) this.#past.expected.set(work.id, [...this.#past.subscriptions]);
    if (work.kind !== "job") return;
    if (!answer.isDuplicate) {
      if (this.#past.deleted.delete(work.id)) this.#past.jobs.delete(work.id);
      this.#seen(work.id).batch = this.#bounds.batchOf(work.task, work.payload);
    }
    const isOfAnother = answer.isDuplicate && answer.id !== work.id;
    const winner = isOfAnother ? this.#past.jobs.get(answer.id)?.ended : undefined;
    this.#holds(!isOfAnother || winner === undefined, "I10", `${work.task} ${work.id} lost its key to ${answer.id}, which was ${winner}`);
    // What is put off goes by the newcomer's time, whatever its retry waited for.
    if (answer.isDuplicate && work.unique?.mode.is === "debounce") this.#seen(answer.id).notBefore = 0;
    if (answer.leased === undefined || work.lease === undefined) return;
    const { process, claim, leaseMs } = work.lease;
    this.#renewed(process, answer.leased.now + leaseMs);
    this.#given(answer.leased.fence);
    const seen = this.#seen(answer.id);
    seen.task = work.task;
    seen.fence = answer.leased.fence;
    seen.handedOut = 1;
    seen.held = { process, claim, fence: answer.leased.fence };
    this.#inBounds(work.task, now);
  }

  #claimed(wanted: port.Claim, claimed: port.Claimed): port.Claimed {
    const { now } = claimed;
    this.#holds(now >= this.#past.written, "I12", `the store's clock went back from ${this.#past.written} to ${now}`);
    this.#at({ now }, claimed.jobs.length > 0);
    this.#settled(wanted.settling, claimed.settled, { now });
    if (claimed.jobs.length === 0) return claimed;
    this.#renewed(wanted.process, now + wanted.leaseMs);
    this.#given(claimed.fence);
    for (const job of claimed.jobs) this.#handed(wanted, job, claimed.fence, now);
    return claimed;
  }

  #handed(wanted: port.Claim, job: port.ClaimedJob, fence: number, now: Instant): void {
    const seen = this.#seen(job.id);
    seen.task = job.task;
    seen.lane = this.#bounds.laneOf(job);
    const who = `${job.task} ${job.id}`;
    this.#holds(seen.ended === undefined, "I3", `${who} was handed out after it was ${seen.ended}`);
    this.#holds(fence > seen.fence, "I4", `${who} was handed out with fence ${fence} after ${seen.fence}`);
    this.#holds(job.dueAt <= now, "I12", `${who} was handed out ${job.dueAt - now} ms before it is due`);
    this.#holds(seen.notBefore <= now, "I12", `${who} was handed out ${seen.notBefore - now} ms before it is to be tried again`);
    this.#holds(job.attempt <= this.#bounds.attemptsMax, "I13", `${who} was handed out for its attempt ${job.attempt}`);
    this.#holds(job.checkpoint === seen.checkpoint, "I18", `${who} was handed out with progress ${job.checkpoint}, where ${seen.checkpoint} was saved`);
    const holder = seen.held;
    this.#holds(holder === undefined || !this.#isLive(holder, now), "I5", `${who} was handed to ${wanted.process} while ${holder?.process} held it`);
    seen.fence = fence;
    seen.handedOut++;
    seen.held = { process: wanted.process, claim: wanted.claim, fence };
    this.#inLane(seen, wanted, now);
    this.#inBounds(job.task, now);
    this.#afterMembers(job);
  }

  /** In a row, one worker holds several of a lane, and runs them one after the other. */
  #inLane(job: Seen, { process }: port.Claim, now: Instant): void {
    if (job.lane === undefined) return;
    for (const { lane, held, id } of this.#past.jobs.values()) {
      const isBeside = lane === job.lane && id !== job.id && held !== undefined && held.process !== process && this.#isLive(held, now);
      this.#holds(!isBeside, "I6", `${job.task} ${job.id} and ${id} of lane ${job.lane} were held by two processes at once`);
    }
  }

  #inBounds(task: string, now: Instant): void {
    const most = this.#bounds.running[task];
    if (most !== undefined) {
      const live = [...this.#past.jobs.values()].filter(({ task: own, held }) => own === task && held !== undefined && this.#isLive(held, now)).length;
      this.#holds(live <= most, "I14", `${live} of ${task} ran at once, where ${most} may`);
    }
    const rate = this.#bounds.starts[task];
    if (rate === undefined) return;
    const starts = [...(this.#past.starts.get(task) ?? []), now].filter((start) => start + rate.everyMs > now);
    this.#past.starts.set(task, starts);
    this.#holds(starts.length <= rate.most, "I14", `${starts.length} of ${task} started within ${rate.everyMs} ms, where ${rate.most} may`);
  }

  #afterMembers(job: port.ClaimedJob): void {
    const called = this.#bounds.callbackOf(job);
    if (called === undefined) return;
    for (const { id, ended, batch } of this.#past.jobs.values())
      this.#holds(ended !== undefined || batch !== called, "I8", `the callback ${job.id} was handed out before member ${id} had ended`);
  }

  #settled(outcomes: readonly port.Outcome[], settled: readonly port.Settled[], at: port.At<unknown>): port.Settled[] {
    const now = this.#at(
      at,
      settled.some(({ is }) => is === "settled" || is === "cancelled"),
    );
    for (const [place, answer] of settled.entries()) {
      const outcome = outcomes[place];
      const job = this.#past.jobs.get(answer.id);
      if (outcome === undefined || job === undefined) continue;
      const isMine = job.held?.claim === outcome.claim && job.held.fence === outcome.fence;
      if (answer.is === "settled" || answer.is === "cancelled") this.#wrote(job, outcome, answer, isMine, now);
      if (answer.is === "lease-lost" && isMine) job.held = undefined;
    }
    return [...settled];
  }

  #wrote(job: Seen, outcome: port.Outcome, answer: port.Settled, isMine: boolean, now: Instant): void {
    const who = `${job.task} ${job.id}`;
    this.#holds(isMine && job.ended === undefined, "I3", `${who} was settled as ${outcome.is} by a claim that no longer held it`);
    const isWanted = answer.is !== "settled" || !job.isCancelling || outcome.is === "saved";
    this.#holds(isWanted, "I11", `${who} was settled as ${outcome.is} after its cancelling was promised`);
    job.checkpoint = outcome.checkpoint ?? job.checkpoint;
    if (outcome.is !== "saved" || answer.is === "cancelled") job.held = undefined;
    if ((outcome.is !== "saved" && outcome.is !== "released") || answer.is === "cancelled") job.handedOut = 0;
    else if (outcome.is === "released") job.handedOut--;
    if (answer.is === "settled" && outcome.is === "completed" && job.lane !== undefined)
      this.#past.inLanes.set(job.lane, [...(this.#past.inLanes.get(job.lane) ?? []), job.id]);
    if (answer.is === "settled" && (outcome.is === "retry" || outcome.is === "snoozed")) job.notBefore = now + (outcome.delayMs ?? 0);
    this.#ended(job, answer.state);
  }

  #beaten(process: string, leaseMs: number, heard: port.Heard, at: port.At): port.Heard {
    this.#at(at, false);
    if (!heard.isLost && this.#past.leases.has(process)) this.#renewed(process, heard.now + leaseMs);
    return heard;
  }

  #tidied(tidied: port.Tidied): port.Tidied {
    if (!this.#isAgain) this.takenBack += tidied.takenBack;
    return tidied;
  }

  #changed(changed: port.Changed, at: port.At<unknown>): port.Changed {
    this.#at(at, false);
    for (const { id, is } of changed.jobs) {
      if (is === "cancelled") this.#ended(this.#seen(id), "cancelled");
      if (is === "cancelling") this.#seen(id).isCancelling = true;
      if (is === "deleted") this.#past.deleted.add(id);
      if (is === "retried") this.#redriven(this.#seen(id));
    }
    return changed;
  }

  #redriven(job: Seen): void {
    this.#holds(job.ended === undefined || job.ended === "dead", "I3", `${job.task} ${job.id} was redriven after it was ${job.ended}`);
    job.ended = undefined;
    job.notBefore = 0;
    job.handedOut = 0;
  }

  #locked(request: port.LockRequest, answer: port.Grant | port.Waiting, at: port.At): typeof answer {
    const now = this.#at(at, false);
    this.#renewed(request.process, answer.now + request.leaseMs);
    if (answer.is === "granted" && this.#past.locks.granted(request, answer.fence, now)) this.#given(answer.fence);
    return answer;
  }

  #unlocked(grant: { readonly name: string; readonly ticket: string }, answer: boolean): boolean {
    this.#past.locks.unlocked(grant);
    return answer;
  }

  #ended(job: Seen, state: JobState | undefined): void {
    if (state === undefined || !isEnded(state)) return;
    job.ended ??= state;
    job.held = undefined;
  }

  #renewed(process: string, until: Instant): void {
    this.#past.leases.set(process, Math.max(this.#past.leases.get(process) ?? 0, until));
  }

  #given(fence: number): void {
    if (this.#isAgain) return;
    this.#holds(fence > this.#fence, "I4", `fence ${fence} was given after ${this.#fence}`);
    this.#fence = Math.max(this.#fence, fence);
  }

  #isLive({ process }: Held, now: Instant): boolean {
    return (this.#past.leases.get(process) ?? 0) > now;
  }

  #newPast(): Past {
    return new Past((does, invariant, otherwise) => this.#holds(does, invariant, otherwise));
  }

  #seen(id: string): Seen {
    const known = this.#past.jobs.get(id);
    if (known !== undefined) return known;
    const seen: Seen = {
      id,
      task: "",
      lane: undefined,
      fence: 0,
      held: undefined,
      ended: undefined,
      notBefore: 0,
      isCancelling: false,
      checkpoint: undefined,
      handedOut: 0,
      batch: undefined,
    };
    this.#past.jobs.set(id, seen);
    return seen;
  }

  #holds(does: boolean, invariant: string, otherwise: string): void {
    if (!does) this.complaints.push(`${invariant} ${otherwise}`);
  }
}
