/** G15 and G2: `job.commit(tx)` completes a job in its app's own transaction: rows and completion stand or fall together, and an effect happens once. */
import { ErrandError } from "../../core/errors.ts";
import { task, type Job, type TaskDefinition } from "../../core/task.ts";
import { equal, LawBroken, matches, present, refused } from "../expect.ts";
import { law, type Guarantee, type Law } from "../law.ts";
import type { AppStore, World } from "../world.ts";

interface Ref {
  readonly id: string;
}
type Definition = TaskDefinition<Ref, Ref, { readonly version: number }>;

const next = task<{ n: number }>("next", () => undefined);
const quickly = { retry: { attempts: 5, first: "1s" } } as const;

/** On an engine that joins no transaction of an app, the law is that it says so. */
export function commitLaw(guarantee: Guarantee, name: string, run: (world: World, app: AppStore) => Promise<void>): Law {
  return law(guarantee, name, async (world) => {
    if (world.app !== undefined) return run(world, world.app);
    const alone = task("alone", async (_: Ref, job) => void (await refused(() => job.commit({} as never), "tx-unsupported", "job.commit")));
    const { broker } = await world.worker({ alone });
    await broker.enqueue(alone.with({ id: "1" }));
    await world.drained();
    equal(world.runs[0]?.end, "returned", "the run that was refused");
  });
}

/** The effect and the completion of a job, in one transaction. */
function committing(app: AppStore, job: Job, ...more: readonly (() => unknown)[]): unknown {
  return app.transaction(
    (tx) => app.add(tx, "charged"),
    (tx) => job.commit(tx),
    ...more,
  );
}

const together: readonly Law[] = [
  commitLaw("G15", "rows and completion are committed together, and the run's own end changes nothing", async (world, app) => {
    const charge = task("charge", {
      ...quickly,
      run: async (_: Ref, job) => {
        await committing(app, job);
        equal([await world.stateOf(job.id), await app.count("charged")], ["completed", 1], "state and rows while it still runs");
        await world.sleep("5s");
      },
    });
    const { broker } = await world.worker({ charge });
    const { id } = await broker.enqueue(charge.with({ id: "1" }));
    await world.drained();
    await world.advance("30s");
    const job = await world.job(id);
    equal(
      [job.state, job.attempts, job.history, world.runs.length, await app.count("charged")],
      ["completed", 1, [], 1, 1],
      "state, attempts, history, runs, rows",
    );
    equal(world.warnings, [], "warnings");
  }),
  commitLaw("G15", "what a run handed over is stored with the commit", async (world, app) => {
    const charge = task("charge", {
      ...quickly,
      run: async (_: Ref, job) => {
        job.enqueue([next.with({ n: 1 }), next.with({ n: 2 })]);
        await committing(app, job);
        await refused(() => job.enqueue(next.with({ n: 3 })), "job-committed", "handing over after the commit");
        await world.sleep("5s");
      },
    });
    const { broker } = await world.worker({ charge, next });
    await broker.enqueue(charge.with({ id: "1" }));
    await world.advance("3s");
    equal(
      world.runsOf("next").map((run) => run.input),
      [{ n: 1 }, { n: 2 }],
      "follow-up runs while the run goes on",
    );
    await world.drained();
    await world.advance("5s");
    equal([world.runsOf("next").length, world.runsOf("charge")[0]?.end], [2, "returned"], "follow-up runs, and how the run ended");
  }),
  commitLaw(
    "G15",
    "a second commit of one run is refused as that, also where the premise is what the first one changed; what it throws is told",
    async (world, app) => {
      let version = 1;
      const charge = task("charge", {
        current: () => ({ version }),
        ...quickly,
        run: async (_: Ref, job) => {
          await committing(app, job);
          version = 2;
          await committing(app, job);
        },
      });
      const { broker } = await world.worker({ charge });
      const { id } = await broker.enqueue(charge.with({ id: "1" }, { expecting: { version: 1 } }));
      await world.drained();
      await world.advance("30s");
      equal([await world.stateOf(id), world.runs.length, await app.count("charged")], ["completed", 1, 1], "state, runs, rows");
      equal(world.warnings.length, 1, "warnings");
      matches(world.warnings[0]?.message, /failed after its job.commit/, "the warning");
    },
  ),
];

export async function refusedTransaction(attempt: () => unknown): Promise<void> {
  try {
    await attempt();
  } catch (error) {
    if ((error as Error).message === "no") return;
    throw error;
  }
  throw new LawBroken("the transaction", "its error", "none");
}

interface Break {
  readonly what: string;
  readonly end: (app: AppStore, job: Job) => unknown;
}
const broken: readonly Break[] = [
  {
    what: "rolled back, and its error left the run",
    end: (app, job) =>
      committing(app, job, () => {
        throw new Error("the card was declined");
      }),
  },
  {
    what: "rolled back, and the run returned all the same",
    end: async (app, job) => {
      try {
        await committing(app, job, () => {
          throw new Error("swallowed");
        });
      } catch (error) {
        if ((error as Error).message !== "swallowed") throw error;
      }
    },
  },
];

const undone: readonly Law[] = [
  ...broken.map((row) =>
    commitLaw("G15", `a job whose transaction was ${row.what}, is tried again; neither rows nor follow-ups of it are there`, async (world, app) => {
      const charge = task("charge", {
        ...quickly,
        run: (_: Ref, job) => {
          job.enqueue(next.with({ n: job.attempt }));
          return job.attempt < 3 ? row.end(app, job) : committing(app, job);
        },
      });
      const { broker } = await world.worker({ charge, next });
      const { id } = await broker.enqueue(charge.with({ id: "1" }));
      await world.drained();
      const job = await world.job(id);
      equal([job.state, job.attempts, world.runsOf("charge").length], ["completed", 3, 3], "state, attempts, runs");
      equal([await app.count("charged"), world.runsOf("next").map((run) => run.input)], [1, [{ n: 3 }]], "rows, and follow-up runs");
    }),
  ),
  commitLaw("G15", "a run that returns without the commit it began is told so in its history, and dies of it in the end", async (world, app) => {
    const charge = task("charge", { retry: { attempts: 2, first: "1s" }, run: (_: Ref, job) => present(broken[1], "a way to break").end(app, job) });
    const { broker } = await world.worker({ charge });
    const { id } = await broker.enqueue(charge.with({ id: "1" }));
    await world.drained();
    const job = await world.job(id);
    equal([job.state, await app.count("charged")], ["dead", 0], "state, rows");
    matches(job.history[0]?.error?.message, /^commit-missing: /, "its first attempt");
  }),
  commitLaw("G15", "a transaction that is begun again after a rollback commits once", async (world, app) => {
    const charge = task("charge", {
      ...quickly,
      run: async (_: Ref, job) => {
        job.enqueue(next.with({ n: 1 }));
        await present(broken[1], "a way to break").end(app, job);
        await committing(app, job);
      },
    });
    const { broker } = await world.worker({ charge, next });
    await broker.enqueue(charge.with({ id: "1" }));
    await world.drained();
    equal([world.runsOf("charge").length, await app.count("charged"), world.runsOf("next").length], [1, 1, 1], "runs, rows, follow-up runs");
  }),
];

const fenced: readonly Law[] = [
  commitLaw("G3", "a run whose lease was taken over cannot commit: its rows roll back, and those of the other stand", async (world, app) => {
    let commitOfFirst: (() => unknown) | undefined;
    const charge = task("charge", {
      ...quickly,
      run: (_: Ref, job) => {
        if (commitOfFirst !== undefined) return committing(app, job);
        commitOfFirst = () => committing(app, job);
        return world.sleep("1h", job.signal);
      },
    });
    const first = await world.worker({ charge });
    const { id } = await first.broker.enqueue(charge.with({ id: "1" }));
    await world.advance("1s");
    world.pause(first);
    await world.advance("20s");
    await world.worker({ charge });
    await world.until("the second ran", async () => (await app.count("charged")) === 1);
    const resumed = world.resume(first);
    // At once, before its heartbeat can tell it.
    await refused(() => present(commitOfFirst, "the first run")(), "lease-lost", "the commit of the first");
    await resumed;
    await world.advance("30s");
    equal([await world.stateOf(id), await app.count("charged"), world.runs.length], ["completed", 1, 2], "state, rows, runs");
  }),
  commitLaw("G4", "a job that was cancelled while it ran cannot commit, and ends cancelled", async (world, app) => {
    const charge = task("charge", {
      ...quickly,
      run: async (_: Ref, job) => {
        await world.sleep("1s");
        await committing(app, job);
      },
    });
    const worker = await world.worker({ charge });
    const { id } = await worker.broker.enqueue(charge.with({ id: "1" }));
    await world.settle();
    equal(await worker.broker.cancel(id), "cancelling", "the answer");
    await world.drained();
    equal([await world.stateOf(id), await app.count("charged")], ["cancelled", 0], "state, rows");
  }),
  commitLaw("G15", "over many deaths around the commit the effect is there once for each job", async (world, app) => {
    const jobs = 30;
    const charge = task("charge", {
      retry: { attempts: 100, first: "1s" },
      run: async ({ id }: Ref, job) => {
        const runs = world.runs.filter((run) => (run.input as Ref).id === id).length;
        if (runs === 1 && Number(id) % 3 === 0) await world.die(job);
        await app.transaction(
          (tx) => app.add(tx, id),
          (tx) => job.commit(tx),
        );
        if (runs === 1 && Number(id) % 3 === 1) await world.die(job);
      },
    });
    const { broker } = world.process({ charge });
    const names = Array.from({ length: jobs }, (_, n) => String(n));
    const rows = (): Promise<number[]> => Promise.all(names.map(async (name) => app.count(name)));
    await broker.enqueue(names.map((id) => charge.with({ id })));
    for (let life = 0; life < 2 * jobs && (await world.observer.count()).completed < jobs; life++) {
      await world.worker({ charge }, { queues: { default: 1 } });
      await world.advance("12s");
      equal(
        (await rows()).filter((count) => count > 1),
        [],
        "rows that are there more than once",
      );
    }
    equal((await world.observer.count()).completed, jobs, "completed jobs");
    equal(
      await rows(),
      names.map(() => 1),
      "rows of each",
    );
  }),
];

interface Late {
  readonly what: string;
  readonly ifStale: NonNullable<Definition["ifStale"]>;
  readonly state: "skipped" | "completed";
  readonly runs: number;
}
const late: readonly Late[] = [
  { what: "with skip it ends skipped, with the reason", ifStale: "skip", state: "skipped", runs: 1 },
  { what: "with refresh it is tried again, on what is there then", ifStale: "refresh", state: "completed", runs: 2 },
  { what: "with a conflict it is tried again, and the conflict decides", ifStale: { conflict: () => undefined }, state: "completed", runs: 2 },
];

const guarded: readonly Law[] = [
  ...late.map((row) =>
    commitLaw("G15", `a premise that breaks during the run is found at the commit, and rolls it back: ${row.what}`, async (world, app) => {
      let version = 7;
      const looks: boolean[] = [];
      const charge = task("charge", {
        ...quickly,
        ifStale: row.ifStale,
        current: (_: Ref, tx) => {
          looks.push(tx !== undefined);
          return { version };
        },
        run: async (_: Ref, job) => {
          await world.sleep("1s");
          version = 9;
          await committing(app, job);
        },
      });
      const { broker } = await world.worker({ charge });
      const { id } = await broker.enqueue(charge.with({ id: "1" }, { expecting: { version: 7 } }));
      await world.drained();
      const job = await world.job(id);
      const charged = row.state === "completed" ? 1 : 0;
      equal([job.state, world.runs.length, await app.count("charged")], [row.state, row.runs, charged], "state, runs, rows");
      equal(looks, row.state === "skipped" ? [false, true] : [false, true, false, true], "looks: within the transaction?");
      if (row.state === "skipped") equal(job.reason, "expected version 7, found 9", "the reason");
    }),
  ),
  commitLaw("G15", "a look inside a synchronous transaction that answers a promise is refused, and rolls it back", async (world, app) => {
    const refusals: unknown[] = [];
    const charge = task("charge", {
      retry: { attempts: 1 },
      current: async (_: Ref) => ({ version: 7 }),
      run: async (_: Ref, job) => {
        try {
          await committing(app, job);
        } catch (error) {
          refusals.push(ErrandError.is(error) ? error.code : error);
          throw error;
        }
      },
    });
    const { broker } = await world.worker({ charge });
    await broker.enqueue(charge.with({ id: "1" }, { expecting: { version: 7 } }));
    await world.drained();
    const isAsync = refusals.length === 0;
    equal([refusals, await app.count("charged")], isAsync ? [[], 1] : [["guard-async"], 0], "refusals, rows");
  }),
];

export const commitLaws: readonly Law[] = [...together, ...undone, ...fenced, ...guarded];
