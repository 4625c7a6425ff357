/** One run: an engine and the model side by side, under one clock that only the commands move. */
import type { Atom, Engine, Enqueued, JobRow, NewWork } from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import { jobDiedName } from "../../src/core/notes.ts";
import type { JobDiedPayload } from "../../src/core/notes.ts";
import type { Instant } from "../../src/core/runtime.ts";
import type { Verb } from "../../src/core/states.ts";
import type { FreeStep, JobStep } from "./cascading.ts";
import { compareViews } from "./compare.ts";
import { Divergence, must, mustEqual } from "./divergence.ts";
import type { Storing } from "./enqueueing.ts";
import { dropExpiredTickets, follow } from "./freedoms.ts";
import { checkInvariants } from "./invariants.ts";
import { Model } from "./model.ts";
import type { Told } from "./model.ts";
import { gateNames, leaseMs } from "./plans.ts";
import type { ModelJob } from "./state.ts";
import { processNamed } from "./state.ts";
import { stillRuntime } from "./stillRuntime.ts";
import { Watch } from "./watch.ts";
import { emptyView, viewOf } from "./view.ts";
import type { View } from "./view.ts";

/** One empty store. Where it is shared, every handle on it is another process's; else there is one handle. */
export interface Store {
  readonly connect: () => Engine;
  readonly isShared: boolean;
  /** When all that connected is closed. */
  readonly dispose?: () => Promise<void>;
}

export interface FormerClaim {
  readonly id: string;
  readonly claim: string;
  readonly fence: number;
}

export class World {
  readonly model: Model = new Model();
  /** What was asked and answered, for the reader of a failure; undefined: nobody reads it. */
  readonly log: string[] | undefined;
  readonly formerClaims: FormerClaim[] = [];
  /** What was sent before, to be sent again. */
  readonly sent: Atom[] = [];
  readonly joinIds: string[] = [];
  /** Whether any limit or resource was ever named. */
  hasGates = false;
  now: Instant = 1_700_000_000_000;
  view: View = emptyView;
  notesVersion = -1;
  notesWrittenThen = 0;
  era: string | undefined;
  readonly #workers: string[] = ["p0", "p1", "p2"];
  readonly #watch = new Watch();
  readonly #fences = new Map<string, number>();
  #made = 0;
  readonly #store: Store;
  readonly #handles: Engine[] = [];
  #handle = 0;

  constructor(store: Store, log?: string[]) {
    this.log = log;
    this.#store = store;
  }

  async open(): Promise<void> {
    this.#handles[0] = await this.#connect();
  }

  async close(): Promise<void> {
    for (const handle of this.#handles) await handle.close();
    await this.#store.dispose?.();
  }

  get engine(): Engine {
    const engine = this.#handles[this.#handle];
    if (engine === undefined) throw new Error("the world is not open");
    return engine;
  }

  async takeHandle(handle: number, isFresh: boolean): Promise<void> {
    if (!this.#store.isShared) return;
    if (isFresh) await this.#handles[handle]?.close();
    if (isFresh || this.#handles[handle] === undefined) this.#handles[handle] = await this.#connect();
    this.#handle = handle;
  }

  async #connect(): Promise<Engine> {
    const engine = this.#store.connect();
    await engine.open({ runtime: stillRuntime() });
    return engine;
  }

  fresh(prefix: string): string {
    this.#made += 1;
    return `${prefix}${this.#made}`;
  }

  worker(slot: number): string {
    return this.#workers[slot % this.#workers.length] ?? "p0";
  }

  /** The hand's process is gone, or was told that it lost everything: it goes on under a new id. */
  renew(slot: number): void {
    this.#workers[slot % this.#workers.length] = this.fresh("p");
  }

  /** A process that was taken back asks for nothing more under its old id. */
  livingWorker(slot: number): string {
    if (processNamed(this.model.state, this.worker(slot))?.isLost) this.renew(slot);
    return this.worker(slot);
  }

  lastFence(process: string): number {
    return this.#fences.get(process) ?? 0;
  }

  /** A fence only grows: past every one before it, past the clock, past what the process was ever given (G3, G17). */
  takeFence(process: string, fence: number, lastFence: number): void {
    const floor = Math.max(this.model.state.fence, this.now * 1_000, lastFence);
    must(Number.isSafeInteger(fence) && fence > floor, `fence ${fence} is not above ${floor}`);
    this.#fences.set(process, fence);
  }

  running(): ModelJob[] {
    return this.model.state.jobs.filter((job) => job.state === "running").toSorted((a, b) => a.seq - b.seq);
  }

  /** Asks the engine, and keeps question and answer for the reader of a failure. */
  async call<T>(name: string, asked: unknown, ask: () => T | Promise<T>): Promise<T> {
    this.log?.push(`  at ${this.now - 1_700_000_000_000} ${name} ${short(asked)}`);
    const answer = await ask();
    this.log?.push(`      → ${short(answer)}`);
    const said = typeof answer === "object" && answer !== null && "now" in answer ? answer.now : this.now;
    must(said === this.now, `${name} answers the time ${String(said)}, not ${this.now}`);
    return answer;
  }

  async look(): Promise<View> {
    return viewOf(this.engine, this.now, { joins: this.joinIds, gates: this.hasGates ? gateNames : [] });
  }

  /** Follows what the engine was free to choose, and holds all the rest against the model. */
  check(view: View, verb: string, verbs: readonly Verb[], process?: string): void {
    checkInvariants(this.view, view, verbs);
    this.#watch.check(this.view, view, verb === "tidy");
    follow(this.model.state, view, { verb, now: this.now, leaseMs, ...(process !== undefined && { process }) });
    compareViews(this.model, view, this.now);
    this.view = view;
  }

  dropExpiredTickets(view: View): void {
    dropExpiredTickets(this.model.state, view, this.now);
  }

  /** What the engine, which has answered already, tells the model about its own choices. */
  told(view: View, fence: number, handed?: readonly string[]): Told {
    const known = new Set(this.model.state.events.map((event) => event.id));
    return {
      ...this.storing(view),
      fence,
      handed,
      rank: (jobId) => view.jobs.findIndex((job) => job.id === jobId),
      isSkipped: (job) => (view.byId.get(job.id)?.state ?? "skipped") === "skipped",
      isPurged: (id) => !view.byId.has(id) && view.joins.every((join) => join.id !== id),
      isPromoted: (job) => view.byId.get(job.id)?.state !== "scheduled",
      died: (died) => {
        const event = view.events.find((row) => row.name === jobDiedName && !known.has(row.id) && tells(row.payload, died.jobId));
        if (event === undefined) throw new Divergence(`the death of ${died.jobId} was not published`);
        known.add(event.id);
        const payload = JSON.parse(event.payload) as JobDiedPayload;
        const isOwnWord = died.reason === "quarantined" || died.reason === "";
        mustEqual(`the published death of ${died.jobId}`, { ...payload, ...(isOwnWord && { reason: died.reason }) }, died);
        return { id: event.id, payload: event.payload };
      },
    };
  }

  /** Of what is stored: the steps that were taken by the end of the verb; of an atom that was answered: who won, what was leased, what refused it. */
  storing(view: View, works: readonly NewWork[] = [], answer: Enqueued[] | ErrandError = []): Storing {
    const stored = answer instanceof ErrandError ? [] : answer;
    const answerTo = (workId: string): Enqueued | undefined => stored[works.findLastIndex((work) => work.id === workId)];
    return {
      isTaken: (step) => isTaken(view, step, this.now),
      lineOf: ({ id }) => lineOf(view.byId.get(id)),
      winner: (workId) => answerTo(workId)?.id ?? (view.byId.has(workId) ? workId : undefined),
      hasGrown: ({ id, payload }) => (view.byId.get(id)?.payload.length ?? 0) > payload.length,
      fenceOf: (workId) => stored.find(({ leased }, index) => leased && works[index]?.id === workId)?.leased?.fence ?? 0,
      refusal: answer instanceof ErrandError ? answer.code : undefined,
    };
  }

  /** A state in an answer: what the model says, or what the store shows after the call, which is compared by itself. */
  isState(id: string, got: string | undefined, expected: string | undefined, view: View): boolean {
    return got === expected || got === view.byId.get(id)?.state;
  }
}

/** Whether a step that is free shows in what the engine shows; what is gone has taken all its steps. */
function isTaken(view: View, step: FreeStep, now: Instant): boolean {
  if ("job" in step) return isTakenBy(view.byId.get(step.job.id), step.does, now);
  const state = view.joins.find((join) => join.id === step.join.id)?.state ?? "closed";
  return state === "closed" || (step.does === "open" && state === "open");
}

function isTakenBy(row: JobRow | undefined, does: JobStep["does"], now: Instant): boolean {
  const waits = row?.state === "blocked" ? row.waits?.reason : undefined;
  switch (does) {
    case "letGo":
    case "drop":
    case "dropStaged":
      return waits !== "join" && waits !== "after";
    case "giveRoom":
      // One that was parked or cancelled by now had room before only if its urgency says so.
      if (row?.state === "parked" || row?.state === "cancelled") return row.urgency === now - row.headStartMs;
      return waits !== "limit";
    case "cancel":
      return row === undefined || row.state === "cancelled" || row.claim?.isCancelling === true;
    case "park":
    case "unpark":
      return (row?.state === "parked") === (does === "park");
    case "skip":
      return row === undefined || row.state === "skipped";
    case "standBehind":
      return waits === "key";
  }
}

function lineOf(row: JobRow | undefined): string | undefined {
  return row?.waits?.reason === "limit" ? row.waits.on : undefined;
}

function tells(payload: string, jobId: string): boolean {
  return (JSON.parse(payload) as Partial<JobDiedPayload>).jobId === jobId;
}

function short(value: unknown): string {
  const text =
    JSON.stringify(value, (key, field: unknown) => (key === "keep" || key === "content" || key === "kind" || key === "rememberMs" ? undefined : field)) ??
    String(value);
  return text.length > 900 ? `${text.slice(0, 900)}…` : text;
}
