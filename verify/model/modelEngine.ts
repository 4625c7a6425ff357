/** The model dressed as an engine: so that the model test itself can be tested, against a model whose rules were broken on purpose. */
import type {
  At,
  Atom,
  Change,
  Changed,
  Claim,
  Claimed,
  CountRow,
  Enqueued,
  Engine,
  Grant,
  Guarantees,
  Heard,
  JobFilter,
  LockRequest,
  Maybe,
  Note,
  Outcome,
  Page,
  Query,
  Selection,
  Settled,
  Tidied,
  Tidy,
  Unlisten,
  Waiting,
} from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import type { JobDiedPayload } from "../../src/core/notes.ts";
import type { Instant, Ms } from "../../src/core/runtime.ts";
import { gateRowsOf } from "./gates.ts";
import { Model } from "./model.ts";
import type { Told } from "./model.ts";
import { joinRowOf } from "./rows.ts";
import { untilOf } from "./tidying.ts";

/** Its tidy is neither bounded nor counted. */
export const modelName = "model";

export class ModelEngine implements Engine {
  readonly name = modelName;
  protected readonly model: Model = new Model();
  readonly #isLazy: boolean;
  #died = 0;

  /** `isLazy`: whatever the port lets an engine leave to tidy is left to tidy. */
  constructor(isLazy = false) {
    this.#isLazy = isLazy;
  }

  open(): void {}

  async close(): Promise<void> {}

  guarantees(): Guarantees {
    return { engine: "model", durability: "none", beatsFromThread: false, weaker: {} };
  }

  enqueue(atoms: readonly Atom[], { now = 0 }: At<unknown>): Maybe<(Enqueued[] | ErrandError)[]> {
    return this.model.enqueue(atoms, now, () => this.told(now, 0));
  }

  claim(wanted: Claim, { now = 0 }: At): Maybe<Claimed> {
    const fence = this.#nextFence(now, wanted.lastFence);
    const { nextDue, ...claimed } = this.model.claim(wanted, now, this.told(now, fence));
    return { now, fence, ...claimed, ...(nextDue.must.length > 0 && { nextDueMs: Math.min(...nextDue.must) }) };
  }

  settle(outcomes: readonly Outcome[], { now = 0 }: At<unknown>): Maybe<Settled[]> {
    return this.model.settle(outcomes, now, this.told(now, 0));
  }

  beat(process: string, leaseMs: Ms, { now = 0 }: At): Maybe<Heard> {
    return { now, ...this.model.beat(process, leaseMs, now), notesVersion: this.model.state.notesWritten, era: "one" };
  }

  tidy(pass: Tidy, { now = 0 }: At): Maybe<Tidied> {
    this.model.tidy(untilOf(pass, now), now, this.told(now, 0), { parts: ["forget", "expire", "replay"], cancelsFirst: false });
    return {
      now,
      promoted: 0,
      skipped: 0,
      takenBack: 0,
      quarantined: 0,
      parked: 0,
      admitted: 0,
      released: 0,
      closed: 0,
      dropped: 0,
      replayed: 0,
      purged: 0,
      hasMore: false,
    };
  }

  change(which: Selection, change: Change, limit: number, { now = 0 }: At<unknown>): Maybe<Changed> {
    return this.model.change(which, change, limit, now, () => undefined, this.told(now, 0));
  }

  find<Q extends Query>(query: Q, { now = 0 }: At): Maybe<Page<Q>> {
    return { ...this.#page(query, now), now } as Page<Q>;
  }

  count(): Maybe<CountRow[]> {
    return this.model.count();
  }

  lock(request: LockRequest, { now = 0 }: At): Maybe<Grant | Waiting> {
    const answer = this.model.lock(request, now, { fence: this.#nextFence(now, request.lastFence) });
    if (answer instanceof ErrandError) throw answer;
    if (answer.is === "granted") this.model.state.fence = Math.max(this.model.state.fence, answer.fence);
    return answer;
  }

  unlock(grant: { readonly name: string; readonly ticket: string }): Maybe<boolean> {
    return this.model.unlock(grant.name, grant.ticket);
  }

  readNote(key: string): Maybe<Note | undefined> {
    return this.model.readNote(key);
  }

  listen(): Maybe<Unlisten> {
    return () => {};
  }

  joins(): "sync" {
    return "sync";
  }

  protected told(now: Instant, fence: number): Told {
    return {
      fence,
      rank: () => 0,
      isSkipped: () => true,
      isPurged: () => true,
      isPromoted: () => true,
      handed: undefined,
      isTaken: ({ does }) => !this.#isLazy && does !== "skip" && does !== "dropStaged" && does !== "standBehind",
      lineOf: () => undefined,
      winner: () => undefined,
      hasGrown: () => false,
      fenceOf: () => this.#nextFence(now, 0),
      died: (died) => this.diedEvent(died),
    };
  }

  protected diedEvent(died: JobDiedPayload): { readonly id: string; readonly payload: string } {
    this.#died += 1;
    return { id: `died-${this.#died}`, payload: JSON.stringify(died) };
  }

  #nextFence(now: Instant, lastFence: number): number {
    this.model.state.fence = Math.max(this.model.state.fence, now * 1_000, lastFence) + 1;
    return this.model.state.fence;
  }

  #page(query: Query, now: Instant): Listing {
    if (query.of === "gates") return { rows: gateRowsOf(this.model.state, query.names, now) };
    if (query.of === "joins" && "ids" in query) {
      const { state } = this.model;
      return { rows: state.joins.filter((join) => query.ids.includes(join.id)).map((join) => joinRowOf(join, state)) };
    }
    if (query.of === "jobs" && "ids" in query) return { rows: this.model.find({}).filter((row) => query.ids.includes(row.id)) };
    const rows = this.#rows(query);
    const from = Number(query.after ?? 0);
    return { rows: rows.slice(from, from + query.limit), ...(from + query.limit < rows.length && { next: String(from + query.limit) }) };
  }

  #rows(query: Listable): readonly object[] {
    if (query.of === "jobs") return this.#jobs(query.where, query.newestFirst ?? false);
    if (query.of !== "joins") return this.#others(query);
    const joins = this.model.findJoins(query.parent);
    return query.newestFirst ? joins.toReversed() : joins;
  }

  #jobs(where: JobFilter, newestFirst: boolean): readonly object[] {
    const found = this.model.find(where);
    return newestFirst ? found.toReversed() : found;
  }

  #others(query: Exclude<Listable, { of: "jobs" | "joins" }>): readonly object[] {
    const { state } = this.model;
    if (query.of === "events") {
      const events = state.events.filter((event) => query.name === undefined || event.name === query.name);
      return events.map(({ content: _, rememberMs: __, ...event }) => event);
    }
    if (query.of === "notes") return state.notes.filter((note) => note.key.startsWith(query.prefix));
    if (query.of === "lanes") return state.closedLanes;
    if (query.of === "locks") return state.tickets.map(({ permits: _, ...lock }) => lock);
    const running = (process: string): number => state.jobs.filter((job) => job.claim?.process === process).length;
    return state.processes
      .filter((process) => !process.isLost)
      .map(({ process, leaseUntil }) => ({ process, leaseUntil, since: 0, running: running(process) }));
  }
}

type Listable = Extract<Query, { readonly limit: number }>;

interface Listing {
  readonly rows: readonly object[];
  readonly next?: string;
}
