/** What must hold at the store, call by call, in the order in which it did them. Complaints begin with the number of the invariant. */
import type * as port from "../../src/core/engine.ts";
import type { Instant } from "../../src/core/runtime.ts";
import { isEnded, type JobState } from "../../src/core/states.ts";

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
}

/** What the workload asks of the store. */
export interface Bounds {
  /** What orders a job, if anything does: by its input, whatever the store made of that. */
  laneOf(job: port.ClaimedJob): string | undefined;
  /** By task, the limits that its jobs are under. */
  readonly running: Readonly<Record<string, number>>;
  readonly starts: Readonly<Record<string, { readonly most: number; readonly everyMs: number }>>;
}

export class StoreWatch {
  readonly engine: port.Engine;
  readonly complaints: string[] = [];
  /** By lane: its jobs in the order in which their completion was written. What a run does that is no longer the owner is not its lane's. */
  readonly inLanes: Map<string, string[]> = new Map();
  readonly #jobs: Map<string, Seen> = new Map();
  readonly #leases: Map<string, Instant> = new Map();
  readonly #starts: Map<string, Instant[]> = new Map();
  readonly #bounds: Bounds;
  #fence = 0;

  constructor(store: port.Engine, bounds: Bounds) {
    this.#bounds = bounds;
    const own: Partial<port.Engine> = {
      claim: async (wanted, at) => this.#claimed(wanted, await store.claim(wanted, at), at),
      settle: async (outcomes, at) => this.#settled(outcomes, await store.settle(outcomes, at), at.now ?? 0),
      beat: async (process, leaseMs, at) => this.#beaten(process, leaseMs, await store.beat(process, leaseMs, at)),
      change: async (which, change, limit, at) => this.#changed(change, await store.change(which, change, limit, at)),
    };
    this.engine = new Proxy(store, {
      get: (target, name) => {
        const verb: unknown = Reflect.get(own, name) ?? Reflect.get(target, name, target);
        return typeof verb === "function" ? (verb.bind(target) as unknown) : verb;
      },
    });
  }

  /** The state in which a job was seen to end. */
  endOf(id: string): JobState | undefined {
    return this.#jobs.get(id)?.ended;
  }

  #claimed(wanted: port.Claim, claimed: port.Claimed, at: port.At): port.Claimed {
    const now = at.now ?? claimed.now;
    this.#settled(wanted.settling, claimed.settled, now);
    if (claimed.jobs.length > 0) this.#leases.set(wanted.process, Math.max(this.#leases.get(wanted.process) ?? 0, now + wanted.leaseMs));
    const fence = claimed.fence;
    if (claimed.jobs.length > 0) {
      this.#holds(fence > this.#fence, "I4", `a claim got fence ${fence} after ${this.#fence} was given`);
      this.#fence = Math.max(this.#fence, fence);
    }
    for (const job of claimed.jobs) this.#handed(wanted, job, fence, now);
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
    const holder = seen.held;
    const isHeld = holder !== undefined && (this.#leases.get(holder.process) ?? 0) > now;
    this.#holds(!isHeld, "I5", `${who} was handed to ${wanted.process} while ${holder?.process} held it`);
    seen.fence = fence;
    seen.held = { process: wanted.process, claim: wanted.claim, fence };
    this.#inLane(seen, wanted, now);
    this.#inBounds(job.task, now);
  }

  /** In a row, one worker holds several of a lane, and runs them one after the other. */
  #inLane(job: Seen, { process }: port.Claim, now: Instant): void {
    if (job.lane === undefined) return;
    const other = [...this.#jobs.values()].find(
      ({ lane, held, id }) => lane === job.lane && id !== job.id && held !== undefined && held.process !== process && this.#isLive(held, now),
    );
    this.#holds(other === undefined, "I6", `${job.task} ${job.id} and ${other?.id} of lane ${job.lane} were held by two processes at once`);
  }

  #inBounds(task: string, now: Instant): void {
    const most = this.#bounds.running[task];
    if (most !== undefined) {
      const live = [...this.#jobs.values()].filter(({ task: own, held }) => own === task && held !== undefined && this.#isLive(held, now)).length;
      this.#holds(live <= most, "I14", `${live} of ${task} ran at once, where ${most} may`);
    }
    const rate = this.#bounds.starts[task];
    if (rate === undefined) return;
    const starts = [...(this.#starts.get(task) ?? []), now].filter((start) => start + rate.everyMs > now);
    this.#starts.set(task, starts);
    this.#holds(starts.length <= rate.most, "I14", `${starts.length} of ${task} started within ${rate.everyMs} ms, where ${rate.most} may`);
  }

  #settled(outcomes: readonly port.Outcome[], settled: readonly port.Settled[], now: Instant): port.Settled[] {
    for (const [place, answer] of settled.entries()) {
      const outcome = outcomes[place];
      const job = this.#jobs.get(answer.id);
      if (outcome === undefined || job === undefined) continue;
      const isMine = job.held?.claim === outcome.claim && job.held.fence === outcome.fence;
      if (answer.is === "settled" || answer.is === "cancelled") {
        this.#holds(isMine && job.ended === undefined, "I3", `${job.task} ${job.id} was settled as ${outcome.is} by a claim that no longer held it`);
        if (outcome.is !== "saved" || answer.is === "cancelled") job.held = undefined;
        if (answer.is === "settled" && outcome.is === "completed" && job.lane !== undefined)
          this.inLanes.set(job.lane, [...(this.inLanes.get(job.lane) ?? []), job.id]);
        if (answer.is === "settled" && (outcome.is === "retry" || outcome.is === "snoozed")) job.notBefore = now + (outcome.delayMs ?? 0);
        this.#ended(job, answer.state);
      }
      if (answer.is === "lease-lost" && isMine) job.held = undefined;
    }
    return [...settled];
  }

  #beaten(process: string, leaseMs: number, heard: port.Heard): port.Heard {
    if (!heard.isLost && this.#leases.has(process)) this.#leases.set(process, Math.max(this.#leases.get(process) ?? 0, heard.now + leaseMs));
    return heard;
  }

  #changed(change: port.Change, changed: port.Changed): port.Changed {
    for (const { id, is } of changed.jobs) {
      if (change.do === "cancel" && is === "cancelled") this.#ended(this.#seen(id), "cancelled");
    }
    return changed;
  }

  #ended(job: Seen, state: JobState | undefined): void {
    if (state === undefined || !isEnded(state)) return;
    job.ended ??= state;
    job.held = undefined;
  }

  #isLive({ process }: Held, now: Instant): boolean {
    return (this.#leases.get(process) ?? 0) > now;
  }

  #seen(id: string): Seen {
    const known = this.#jobs.get(id);
    if (known !== undefined) return known;
    const seen: Seen = { id, task: "", lane: undefined, fence: 0, held: undefined, ended: undefined, notBefore: 0 };
    this.#jobs.set(id, seen);
    return seen;
  }

  #holds(does: boolean, invariant: string, otherwise: string): void {
    if (!does) this.complaints.push(`${invariant} ${otherwise}`);
  }
}
