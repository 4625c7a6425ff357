/** One engine with a fresh store and a clock of its own: the few verbs of the port, said shortly. */
import assert from "node:assert/strict";
import type {
  At,
  Atom,
  Change,
  Changed,
  Claim,
  Claimed,
  ClaimQueue,
  CountRow,
  Engine,
  Enqueued,
  GateRow,
  Heard,
  JobRow,
  JoinRow,
  NewEvent,
  NewJob,
  NewJoin,
  NewWork,
  Note,
  NoteWrite,
  Outcome,
  Selection,
  Settled,
  Tidied,
} from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import { limitKey, resourceKey, subscriptionKey } from "../../src/core/notes.ts";
import type { StoredLimit, StoredSubscription } from "../../src/core/notes.ts";
import type { JobState, Verb } from "../../src/core/states.ts";
import type { TransitionWatch } from "./transitionWatch.ts";

export const start = 1_700_000_000_000;
export const leaseMs = 8_000;
export const day = 24 * 60 * 60 * 1_000;
export const keep = { completed: day, skipped: day, cancelled: 7 * day, dead: 30 * day };

/** A claim of the port: what it says, and how it is held to it. */
export interface Case {
  readonly claim: string;
  readonly run: (stage: Stage) => Promise<void>;
}

export type JobOptions = Partial<Omit<NewJob, "kind" | "id">>;

export function job(id: string, options: JobOptions = {}): NewJob {
  return {
    kind: "job",
    id,
    content: `content of ${id}`,
    rememberMs: 0,
    task: "send",
    queue: "mail",
    payload: `{"id":"${id}"}`,
    headStartMs: 0,
    keep,
    ...options,
  };
}

export function event(id: string, options: Partial<Omit<NewEvent, "kind" | "id">> = {}): NewEvent {
  return { kind: "event", id, content: `content of ${id}`, rememberMs: 0, name: "order.placed", payload: `{"order":"${id}"}`, ...options };
}

/** A sealed join, unless told otherwise. */
export function join(id: string, options: Partial<Omit<NewJoin, "kind" | "id">> = {}): NewJoin {
  return { kind: "join", id, content: `content of ${id}`, rememberMs: 0, name: "batch", isSealed: true, ...options };
}

/** A member of a lane. */
export function member(id: string, ifDead: "park" | "block" | "continue", options: JobOptions = {}, width = 1): NewJob {
  return job(id, { lane: { key: 'send["k"]', width, ifDead }, ...options });
}

export class Stage {
  readonly engine: Engine;
  now: number = start;
  /** Who claims, unless told otherwise: another one after each crash. */
  process = "p1";
  readonly #watch: TransitionWatch;
  readonly #held = new Map<string, { readonly claim: string; readonly fence: number }>();
  /** Ids of all joins that atoms held. */
  readonly #joins = new Set<string>();
  #claims = 0;

  constructor(engine: Engine, watch: TransitionWatch) {
    this.engine = engine;
    this.#watch = watch;
  }

  get at(): At {
    return { now: this.now };
  }

  advance(ms: number): void {
    this.now += ms;
  }

  /** One atom that must be stored. */
  async enqueue(...works: readonly NewWork[]): Promise<Enqueued[]> {
    return this.store({ works });
  }

  async store(atom: Atom): Promise<Enqueued[]> {
    const [answer] = await this.atoms(atom);
    assert.ok(Array.isArray(answer), `the atom was refused: ${String(answer)}`);
    return answer;
  }

  /** One atom that must be refused, and leave nothing behind. Answers the code. */
  async refused(atom: Atom): Promise<string> {
    const before = JSON.stringify(await this.everything());
    const [answer] = await this.atoms(atom);
    assert.ok(answer instanceof ErrandError, `the atom was stored: ${JSON.stringify(answer)}`);
    assert.equal(answer.isDefinite, true);
    assert.equal(JSON.stringify(await this.everything()), before, "a refused atom left something behind");
    return answer.code;
  }

  async atoms(...atoms: readonly Atom[]): Promise<(Enqueued[] | ErrandError)[]> {
    for (const { works } of atoms) this.#noticeJoins(works);
    return this.#watched(["enqueue"], async () => this.engine.enqueue(atoms, this.at));
  }

  async write(...notes: readonly NoteWrite[]): Promise<void> {
    await this.store({ works: [], notes });
  }

  async subscribe(name: string, options: Partial<StoredSubscription> = {}): Promise<void> {
    await this.write(subscription(name, options));
  }

  /** A limit or a resource over all keys; undefined takes it away. */
  async limit(name: string, limit: StoredLimit | undefined): Promise<void> {
    await this.write({ key: limitKey(name), value: limit && JSON.stringify(limit) });
  }

  async resource(name: string, capacity: number): Promise<void> {
    await this.write({ key: resourceKey(name), value: JSON.stringify({ capacity }) });
  }

  async gate(name: string): Promise<GateRow | undefined> {
    return (await this.engine.find({ of: "gates", names: [name] }, this.at)).rows[0];
  }

  /** Ten slots of "mail" for task "send", unless told otherwise. What it hands out can be settled by id. */
  async claim(wanted: Partial<Claim> & { readonly slots?: number; readonly ahead?: number } = {}): Promise<Claimed> {
    this.#claims += 1;
    const { slots = 10, ahead = 0, ...rest } = wanted;
    const queues: ClaimQueue[] = [{ queue: "mail", slots, ahead }];
    const claim: Claim = {
      process: this.process,
      leaseMs,
      claim: `claim-${this.#claims}`,
      lastFence: 0,
      queues,
      tasks: ["send"],
      alone: "no",
      settling: [],
      ...rest,
    };
    for (const { follow } of claim.settling) this.#noticeJoins(follow ?? []);
    const verbs: Verb[] = claim.settling.length > 0 ? ["claim", "settle"] : ["claim"];
    const claimed = await this.#watched(verbs, async () => this.engine.claim(claim, this.at));
    for (const { id, fence } of claimed.jobs) this.#held.set(id, { claim: claim.claim, fence: fence ?? claimed.fence });
    return claimed;
  }

  /** Ids of what a claim handed out. */
  async claimIds(wanted: Parameters<Stage["claim"]>[0] = {}): Promise<string[]> {
    return (await this.claim(wanted)).jobs.map(({ id }) => id);
  }

  /** The outcome of the run that was last handed out under this id. */
  outcome(id: string, is: Outcome["is"], options: Partial<Outcome> = {}): Outcome {
    const held = this.#held.get(id);
    assert.ok(held, `job ${id} was never claimed`);
    return { id, ...held, is, ranMs: 5, ...options };
  }

  async settle(id: string, is: Outcome["is"], options: Partial<Outcome> = {}): Promise<Settled> {
    const [settled] = await this.settleAll(this.outcome(id, is, options));
    assert.ok(settled);
    return settled;
  }

  async settleAll(...outcomes: readonly Outcome[]): Promise<Settled[]> {
    for (const { follow } of outcomes) this.#noticeJoins(follow ?? []);
    return this.#watched(["settle"], async () => this.engine.settle(outcomes, this.at));
  }

  /** Claims just this job, among those it finds, and settles it. */
  async run(id: string, is: Outcome["is"] = "completed", options: Partial<Outcome> = {}): Promise<Settled> {
    assert.deepEqual(await this.claimIds({ slots: 1 }), [id]);
    return this.settle(id, is, options);
  }

  async die(id: string): Promise<Settled> {
    return this.run(id, "dead", { reason: "broken" });
  }

  async beat(process = this.process): Promise<Heard> {
    return this.engine.beat(process, leaseMs, this.at);
  }

  async tidy(items = 1_000, mayExpire = true, overdueMs = 0): Promise<Tidied> {
    return this.#watched(["tidy"], async () => this.engine.tidy({ items, mayExpire, expireUntil: this.now - overdueMs }, this.at));
  }

  /** Lets the leases end and takes back what they held; whoever claims next is another process. */
  async crash(): Promise<Tidied> {
    this.advance(leaseMs + 1);
    this.process = `p after ${this.now}`;
    return this.tidy();
  }

  async change(which: Selection, change: Change, limit = 1_000): Promise<Changed> {
    return this.#watched(["change"], async () => this.engine.change(which, change, limit, this.at));
  }

  async changeOne(id: string, change: Change, limit = 1_000): Promise<string> {
    const { jobs } = await this.change({ ids: [id] }, change, limit);
    assert.deepEqual(
      jobs.map((changed) => changed.id),
      [id],
    );
    return jobs[0]?.is ?? "";
  }

  async cancel(id: string): Promise<string> {
    return this.changeOne(id, { do: "cancel", reason: "not wanted" });
  }

  async retry(id: string, limit?: number): Promise<string> {
    return this.changeOne(id, { do: "retry" }, limit);
  }

  async find(id: string): Promise<JobRow | undefined> {
    const { rows } = await this.engine.find({ of: "jobs", ids: [id] }, this.at);
    return rows[0];
  }

  async row(id: string): Promise<JobRow> {
    const row = await this.find(id);
    assert.ok(row, `job ${id} is unknown`);
    return row;
  }

  async state(id: string): Promise<JobState> {
    return (await this.row(id)).state;
  }

  /** "ready blocked": the states of these jobs, in order. */
  async states(...ids: readonly string[]): Promise<string> {
    const states: string[] = [];
    for (const id of ids) states.push((await this.find(id))?.state ?? "unknown");
    return states.join(" ");
  }

  async joinRow(id: string): Promise<JoinRow> {
    const { rows } = await this.engine.find({ of: "joins", ids: [id] }, this.at);
    assert.ok(rows[0], `join ${id} is unknown`);
    return rows[0];
  }

  /** "open 1 live 2 succeeded 0 failed" */
  async joinState(id: string): Promise<string> {
    const { rows } = await this.engine.find({ of: "joins", ids: [id] }, this.at);
    const [row] = rows;
    return row ? `${row.state} ${row.live} live ${row.succeeded} succeeded ${row.failed} failed` : "unknown";
  }

  /** Every join that was ever stored here. */
  async allJoins(): Promise<readonly JoinRow[]> {
    if (this.#joins.size === 0) return [];
    return (await this.engine.find({ of: "joins", ids: [...this.#joins] }, this.at)).rows;
  }

  async all(): Promise<JobRow[]> {
    const rows: JobRow[] = [];
    for (let after: string | undefined, isFirst = true; isFirst || after !== undefined; isFirst = false) {
      const page = await this.engine.find({ of: "jobs", where: {}, limit: 1_000, ...(after !== undefined && { after }) }, this.at);
      rows.push(...page.rows);
      after = page.next;
    }
    return rows;
  }

  async counts(): Promise<Record<string, number>> {
    const rows: CountRow[] = await this.engine.count(this.at);
    return Object.fromEntries(rows.filter(({ jobs }) => jobs > 0).map(({ queue, task, state, jobs }) => [`${queue} ${task} ${state}`, jobs]));
  }

  async note(key: string): Promise<Note | undefined> {
    return this.engine.readNote(key, this.at);
  }

  async everything(): Promise<unknown> {
    const events = await this.engine.find({ of: "events", limit: 1_000 }, this.at);
    const notes = await this.engine.find({ of: "notes", prefix: "", limit: 1_000 }, this.at);
    return [await this.all(), await this.allJoins(), events.rows, notes.rows];
  }

  #noticeJoins(works: readonly NewWork[]): void {
    for (const work of works) if (work.kind === "join") this.#joins.add(work.id);
  }

  /** Counters are never wrong: they are held to a walk over all jobs after every verb. */
  async #watched<T>(verbs: readonly Verb[], act: () => Promise<T>): Promise<T> {
    const before = byId(await this.all());
    const answer = await act();
    const after = byId(await this.all());
    this.#watch.compare(before, after, verbs);
    const walked: Record<string, number> = {};
    for (const { queue, task, state } of after.values()) walked[`${queue} ${task} ${state}`] = (walked[`${queue} ${task} ${state}`] ?? 0) + 1;
    assert.deepEqual(await this.counts(), walked, "count() and the jobs differ");
    return answer;
  }
}

function byId(rows: readonly JobRow[]): Map<string, JobRow> {
  return new Map(rows.map((row) => [row.id, row]));
}

/** Members "0-0", "0-1", … "400-0", … of join "J", in atoms of 400. Sealed at last, unless told otherwise. */
export async function fillJoin(stage: Stage, members: number, options: Parameters<typeof join>[1] = {}): Promise<void> {
  for (let stored = 0; stored < members; stored += 400) {
    const size = Math.min(400, members - stored);
    await stage.enqueue(join("J", { ...options, isSealed: false }), ...Array.from({ length: size }, (_, index) => job(`${stored}-${index}`, { join: "J" })));
  }
  if (options.isSealed !== false) await stage.enqueue(join("J", options));
}

/** A note that subscribes to order.placed. */
export function subscription(name: string, options: Partial<StoredSubscription> = {}): NoteWrite {
  const stored: StoredSubscription = {
    name,
    event: "order.placed",
    since: "now",
    task: "send",
    queue: "mail",
    headStartMs: 0,
    delayMs: 0,
    isMapped: false,
    keep,
    ...options,
  };
  return { key: subscriptionKey(name), value: JSON.stringify(stored) };
}
