/** G16: losing the whole store loses no side effect of a task that has a reconciler; what has a job already gets no other. */
import { giveUp } from "../../core/endings.ts";
import { event } from "../../core/event.ts";
import { reconcile, type Found, type ReconcileOptions, type Reconciliation } from "../../core/reconcile/reconcile.ts";
import { reconciled, type ReconciledPayload } from "../../core/reconcile/reconciled.ts";
import { every } from "../../core/schedule/every.ts";
import { task, type Job, type Task } from "../../core/task.ts";
import { when } from "../../core/when.ts";
import { between, equal, holds, present } from "../expect.ts";
import { law, type Law } from "../law.ts";
import type { World } from "../world.ts";

interface Row {
  readonly id: string;
}

/** The app's own table: what is done, and how often. Nobody wipes it. */
class Table {
  readonly #done: Map<string, number> = new Map();
  looks = 0;

  constructor(rows: number) {
    for (let row = 0; row < rows; row++) this.add(`r${row}`);
  }

  add(id: string): void {
    this.#done.set(id, 0);
  }

  do(id: string): void {
    this.#done.set(id, (this.#done.get(id) ?? 0) + 1);
  }

  undo(id: string): void {
    this.#done.set(id, 0);
  }

  get undone(): Row[] {
    return [...this.#done].flatMap(([id, times]) => (times === 0 ? [{ id }] : []));
  }

  /** Times that something was done beyond once. */
  get doubles(): number {
    return [...this.#done.values()].reduce((sum, times) => sum + Math.max(0, times - 1), 0);
  }

  /** Page by page, as from a database. */
  async *pages(): AsyncGenerator<Row> {
    this.looks++;
    const rows = this.undone;
    for (let start = 0; start < rows.length; start += 100) {
      await Promise.resolve();
      yield* rows.slice(start, start + 100);
    }
  }

  async all(): Promise<readonly Row[]> {
    this.looks++;
    return await Promise.resolve(this.undone);
  }
}

interface Stage {
  readonly table: Table;
  readonly send: Task<Row>;
  readonly unsent: Reconciliation;
}

function stage(rows: number, run: (row: Row, job: Job, table: Table) => unknown, options: Partial<ReconcileOptions<Row>> = {}): Stage {
  const table = new Table(rows);
  const send = task<Row>("send", { uniqueBy: "id", retry: { attempts: 1 }, run: (row, job) => run(row, job, table) });
  return { table, send, unsent: reconcile(send, { every: "1m", find: () => table.pages(), ...options }) };
}

async function driftOf(world: World): Promise<readonly (number | undefined)[]> {
  const [view] = await world.observer.reconciliations();
  const last = view?.last;
  return [last?.found, last?.missing, last?.enqueued, last?.refused, last?.dead];
}

const filling: readonly Law[] = [
  law("G16", "a store that is new is filled at once with all that is undone, each once", async (world) => {
    const { table, unsent } = stage(1_200, ({ id }, _, own) => own.do(id));
    await world.worker({ unsent });
    await world.until("all is done", () => table.undone.length === 0, "20s");
    await world.advance("3m");
    equal([table.doubles, world.runsOf("send").length], [0, 1_200], "doubles, and runs");
  }),
  law("G16", "only what has no live job is enqueued, and the drift is told as counts", async (world) => {
    const { table, send, unsent } = stage(10, async ({ id }, _, own) => {
      await world.sleep("30s");
      own.do(id);
    });
    const app = world.process({ send });
    await app.broker.enqueue(table.undone.slice(0, 7).map((row) => send.with(row)));
    await world.worker({ unsent }, { queues: { default: 20 } });
    await world.advance("10s");
    equal(await driftOf(world), [10, 3, 3, 0, 0], "found, missing, enqueued, refused and dead");
    holds(
      world.warnings.some(({ message }) => message.includes("drift: 3 of 10")),
      "the drift is warned of",
      world.warnings.map(({ message }) => message),
    );
    await world.drained();
    equal([table.undone.length, table.doubles], [0, 0], "what is left, and doubles");
  }),
  law("G16", "an array will do, twice the same is once, and what the task refuses is counted and told", async (world) => {
    const { table, send } = stage(3, ({ id }, _, own) => own.do(id));
    const found = async (): Promise<Row[]> => [...(await table.all()), ...(await table.all()), { name: "no id" } as never];
    await world.worker({ unsent: reconcile(send, { every: "1m", find: found }) });
    await world.until("all is done", () => table.undone.length === 0, "10s");
    await world.advance("2s");
    equal(await driftOf(world), [7, 4, 3, 1, 0], "found, missing, enqueued, refused and dead");
    equal(table.doubles, 0, "doubles");
  }),
  law("G16", "it is looked once in the fleet at each slot, whichever of three workers see it", async (world) => {
    const { table, unsent } = stage(0, () => undefined);
    for (let n = 0; n < 3; n++) await world.worker({ unsent }, { latencyMs: 10 });
    await world.advance("310s");
    equal(table.looks, 6, "looks: at once, and at five slots");
  }),
  law("G16", "what is dead is not tried again by itself; what becomes undone again is", async (world) => {
    const { table, unsent } = stage(2, ({ id }, job, own) => {
      if (id === "r1" && world.runsOfJob(job.id).length === 1) giveUp("no such address");
      own.do(id);
    });
    await world.worker({ unsent });
    await world.advance("130s");
    equal(world.runsOf("send").length, 2, "runs, over three looks");
    equal(await driftOf(world), [1, 0, 0, 0, 1], "found, missing, enqueued, refused and dead");
    table.undo("r0");
    await world.until("it was done again", () => table.undone.length === 1, "70s");
    const [dead] = (await world.observer.list({ states: ["dead"], task: "send" })).jobs;
    await world.observer.retry(present(dead, "the dead job").id);
    await world.until("the redriven one is done", () => table.undone.length === 0, "5s");
  }),
  law("G16", "what died, and was done by a later job, is enqueued when it becomes undone again", async (world) => {
    const { table, send, unsent } = stage(1, ({ id }, _, own) => {
      if (world.runsOf("send").length === 1) giveUp("no such address");
      own.do(id);
    });
    const { broker } = await world.worker({ unsent });
    await world.until("it is dead", async () => (await world.observer.count({ task: "send" })).dead === 1, "10s");
    await broker.enqueue(send.with({ id: "r0" }));
    await world.until("it is done", () => table.undone.length === 0, "10s");
    await world.advance("70s");
    table.undo("r0");
    await world.until("it was done again", () => table.undone.length === 0, "130s");
    equal(world.runsOf("send").length, 3, "runs");
  }),
  law("G16", "what ends while it is being looked for gets no second job", async (world) => {
    let release: (() => void) | undefined;
    const { table, send } = stage(1, async ({ id }, _, own) => {
      await world.sleep("10s");
      own.do(id);
    });
    const slowly = async function* (): Found<Row> & AsyncGenerator<Row> {
      const rows = table.undone;
      await new Promise<void>((resolve) => (release = resolve));
      yield* rows;
    };
    const unsent = reconcile(send, { every: "1h", find: slowly });
    const { broker } = await world.worker({ unsent });
    await broker.enqueue(send.with({ id: "r0" }));
    await world.advance("15s");
    equal(table.undone.length, 0, "what is undone when the look goes on");
    present(release, "a look under way")();
    await world.advance("10s");
    equal([world.runsOf("send").length, await driftOf(world)], [1, [1, 0, 0, 0, 0]], "runs, and what it made of it");
  }),
];

const pacing: readonly Law[] = [
  law("G16", "starts keep the stated pace, also over several looks", async (world) => {
    const { table, unsent } = stage(40, ({ id }, _, own) => own.do(id), { pace: { starts: 5, every: "10s" }, every: "15s" });
    await world.worker({ unsent });
    await world.advance("20s");
    for (let row = 0; row < 10; row++) table.add(`later${row}`);
    await world.advance("90s");
    const starts = world.runsOf("send").map((run) => run.startedAt);
    equal([starts.length, table.doubles, table.undone.length], [50, 0, 0], "runs, doubles, and what is left");
    for (const start of starts) between(starts.filter((other) => other >= start && other < start + 10_000).length, 1, 6, "starts within any 10 s");
    between(present(starts.at(-1), "a start") - present(starts[0], "a start"), 97_000, 100_000, "ms from the first to the last");
  }),
];

const losing: readonly Law[] = [
  law("G16", "a store that is lost under its workers is filled again: all is done, and only what was in flight is done twice", async (world) => {
    const { table, unsent } = stage(600, async ({ id }, _, own) => {
      await world.sleep("1s");
      own.do(id);
    });
    const pinged = event<Row>("pinged");
    const pong = task<Row>("pong", () => undefined);
    const tick = task("tick", () => undefined);
    const definitions = { unsent, pongs: when(pinged, pong), ticking: every("10s", tick.with({})) };
    const workers = [await world.worker(definitions), await world.worker(definitions)];
    await world.advance("9500ms");
    const inFlight = world.runsOf("send").filter((run) => run.end === undefined).length;
    if (!(await world.wipe())) return;
    await world.advance("25s");
    await workers[0]?.broker.publish(pinged.with({ id: "1" }));
    await world.until("all is done", () => table.undone.length === 0, "2m");
    await world.advance("65s");
    between(table.doubles, 0, inFlight, "what was done twice: at most what was in flight");
    equal(world.runsOf("pong").length, 1, "runs of a subscription that was lost, too");
    holds(
      (await world.observer.schedules()).some(({ name }) => name === "tick"),
      "the schedule is there again",
    );
  }),
  law("G16", "a store that is lost while nobody runs is filled by the first that returns", async (world) => {
    const { table, unsent } = stage(300, async ({ id }, _, own) => {
      await world.sleep("500ms");
      own.do(id);
    });
    const victim = await world.worker({ unsent });
    await world.advance("5s");
    const inFlight = world.runsOf("send").filter((run) => run.end === undefined).length;
    world.crash(victim);
    if (!(await world.wipe())) return;
    await world.worker({ unsent });
    await world.until("all is done", () => table.undone.length === 0, "1m");
    await world.advance("65s");
    between(table.doubles, 0, inFlight, "what was done twice: at most what was in flight");
  }),
  law("G16", "a reconciliation whose worker is killed goes on in another, and enqueues nothing twice", async (world) => {
    let parts = 0;
    const { table, send } = stage(1_500, ({ id }, _, own) => own.do(id));
    const slowly = async function* (): AsyncGenerator<Row> {
      for (const row of table.undone) {
        if (++parts % 100 === 0) await world.sleep("200ms");
        yield row;
      }
    };
    const unsent = reconcile(send, { every: "1h", find: slowly });
    const victim = await world.worker({ unsent });
    await world.worker({ unsent });
    await world.until("it is under way", () => parts > 700, "10s");
    world.crash(victim);
    await world.until("all is done", () => table.undone.length === 0, "2m");
    await world.drained();
    equal([table.doubles, new Set(world.runsOf("send").map((run) => (run.input as Row).id)).size], [0, 1_500], "doubles, and rows that ran");
  }),
  law("G16", "a stopping worker hands its reconciliation back, whatever it waits for", async (world) => {
    const { table, send } = stage(5, ({ id }, _, own) => own.do(id));
    let isStuck = true;
    const find = async (): Promise<readonly Row[]> => (isStuck ? await new Promise<never>(() => undefined) : table.undone);
    const unsent = reconcile(send, { every: "1h", find });
    const first = await world.worker({ unsent }, { grace: "1s" });
    await world.advance("2s");
    await world.stop(first);
    isStuck = false;
    await world.worker({ unsent });
    await world.until("all is done", () => table.undone.length === 0, "10s");
  }),
];

const telling: readonly Law[] = [
  law("G16", "each run publishes what it found", async (world) => {
    const told: ReconciledPayload[] = [];
    const report = task<ReconciledPayload>("report", (payload) => void told.push(payload));
    const { unsent } = stage(4, ({ id }, _, own) => own.do(id));
    await world.worker({ unsent, reports: when(reconciled, report) });
    await world.advance("70s");
    equal(
      told.map(({ name, task: of, found, missing, enqueued }) => [name, of, found, missing, enqueued]),
      [
        ["send", "send", 4, 4, 4],
        ["send", "send", 0, 0, 0],
      ],
      "what was published",
    );
  }),
  law("G16", "rebuild runs all of them now, in whichever worker has them, and tells how far they have come", async (world) => {
    const { table, unsent } = stage(3, ({ id }, _, own) => own.do(id), { every: "1h" });
    await world.worker({ unsent });
    await world.until("all is done", () => table.undone.length === 0, "10s");
    await world.advance("10s");
    for (let row = 0; row < 700; row++) table.add(`more${row}`);
    const seen: number[] = [];
    const rebuilt = await world.finished(world.observer.rebuild({ progress: ([one]) => void seen.push(one?.found ?? 0) }), "the rebuild");
    equal(
      rebuilt.map(({ name, state, found, missing, enqueued }) => [name, state, found, missing, enqueued]),
      [["send", "completed", 700, 700, 700]],
      "what it answers",
    );
    holds(seen.length > 0 && seen.at(-1) === 700, "its progress was told", seen);
    await world.until("all of that is done", () => table.undone.length === 0, "10s");
  }),
  law("G16", "a look that fails is tried again, is dead in the end, and the next slot begins anew", async (world) => {
    const { table, send } = stage(2, ({ id }, _, own) => own.do(id));
    const unsent = reconcile(send, { every: "1m", find: () => (++table.looks <= 3 ? Promise.reject(new Error("the database is down")) : table.all()) });
    await world.worker({ unsent });
    await world.advance("30s");
    equal([table.looks, (await world.observer.count({ task: "errand.reconcile.send" })).dead], [3, 1], "looks, and dead jobs");
    await world.until("the next slot has done it all", () => table.undone.length === 0, "40s");
  }),
];

export const reconcileLaws: readonly Law[] = [...filling, ...pacing, ...losing, ...telling];
