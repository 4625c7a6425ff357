/** `within(tx)` and `job.commit(tx)` take the transaction of the app's own library as it is. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ErrandError, event, task, when } from "../../src/index.ts";
import type { DefinitionModule, Job, Task, Transaction } from "../../src/index.ts";
import { postgres } from "../../src/postgres/index.ts";
import { VirtualBroker } from "../../src/testing/virtualBroker.ts";
import { emptyStore } from "./emptying.ts";
import { libraries, type Library, type Opened, type Statement } from "./libraries.ts";
import { emptyBy, freshPlace, type Place } from "./places.ts";
import { postgresMissing, serverUrl } from "./server.ts";

interface Ref {
  readonly id: string;
}

interface Stage {
  readonly place: Place;
  readonly work: VirtualBroker;
  readonly library: Opened;
  /** The app's own table. */
  readonly table: string;
  rows(): Promise<readonly string[]>;
}

emptyBy(emptyStore);
const why = new Error("the app changed its mind");

describe("a transaction of the app's library", { skip: postgresMissing ?? false }, () => {
  for (const library of libraries) describe(`of ${library.name}`, () => libraryTests(library));
});

function libraryTests(library: Library): void {
  it("what is handed in there is invisible before the commit, runs after it, and is gone on rollback", async () => {
    const ran: string[] = [];
    const plain = task("plain", ({ id }: Ref) => void ran.push(`plain ${id}`));
    const ordered = task<Ref>("ordered", { orderedBy: "id", run: ({ id }) => void ran.push(`ordered ${id}`) });
    const placed = event<Ref>("placed");
    const heard = when(
      placed,
      task("heard", ({ id }: Ref) => void ran.push(`heard ${id}`)),
    );
    await onStage(library, { plain, ordered, heard }, async ({ work, library: { transaction }, table, rows }) => {
      const hand = async (id: string, tx: Transaction, run: Statement): Promise<void> => {
        await run(`INSERT INTO ${table} (name) VALUES ('${id}')`);
        const scope = work.within(tx);
        const stored = await scope.enqueue([plain.with({ id }), ordered.with({ id })]);
        assert.deepEqual(
          stored.map(({ isDuplicate }) => isDuplicate),
          [false, false],
        );
        await scope.publish(placed.with({ id }));
        assert.deepEqual([(await work.list()).jobs.length, (await work.published()).length], [0, 0], "before the commit");
      };
      await assert.rejects(
        transaction(async (tx, run) => {
          await hand(`it's "gone" \\ ? $1`.replaceAll("'", ""), tx, run);
          throw why;
        }),
        why,
      );
      await work.drain();
      assert.deepEqual([ran, await rows()], [[], []]);
      await transaction((tx, run) => hand(`a "quoted" \\ ? $1 :x é`, tx, run));
      await work.drain();
      const id = `a "quoted" \\ ? $1 :x é`;
      assert.deepEqual([ran.toSorted(), await rows()], [[`heard ${id}`, `ordered ${id}`, `plain ${id}`], [id]]);
    });
  });

  it("job.commit completes the job with it, and not where it rolls back", async () => {
    const effect = effectTask();
    await onStage(library, { effect: effect.task }, async (stage) => {
      effect.run = async (job) => {
        await stage.library.transaction(async (tx, run) => {
          await run(`INSERT INTO ${stage.table} (name) VALUES ('${job.attempt}')`);
          await job.commit(tx);
          if (job.attempt === 1) throw why;
        });
      };
      const { id } = await stage.work.enqueue(effect.task.with({}));
      await stage.work.advance("10s");
      assert.deepEqual([await stage.rows(), (await stage.work.find(id))?.state], [["2"], "completed"]);
    });
  });

  it("job.commit of a job that was cancelled throws, and takes the effect with it", async () => {
    const effect = effectTask();
    const thrown: unknown[] = [];
    await onStage(library, { effect: effect.task }, async (stage) => {
      effect.run = async (job) => {
        await stage.work.cancel(job.id);
        const committing = stage.library.transaction(async (tx, run) => {
          await run(`INSERT INTO ${stage.table} (name) VALUES ('1')`);
          await job.commit(tx);
        });
        await committing.catch((error: unknown) => void thrown.push(error));
      };
      const { id } = await stage.work.enqueue(effect.task.with({}));
      await stage.work.drain();
      assert.deepEqual([await stage.rows(), (await stage.work.find(id))?.state], [[], "cancelled"]);
      assert.ok(ErrandError.is(thrown[0], "job-cancelled"), String(thrown[0]));
    });
  });

  it("its root, and a transaction that has ended, are refused: they would commit each statement by itself", async () => {
    const plain = task("plain", () => undefined);
    await onStage(library, { plain }, async ({ work, library: { root, transaction } }) => {
      assert.throws(() => work.within(root as Transaction), { code: "tx-not-open", message: /begin|transaction\(|\$transaction/ });
      const ended: Transaction[] = [];
      await transaction(async (tx) => void ended.push(tx));
      await assert.rejects(async () => work.within(ended[0] as Transaction).enqueue(plain.with({})), ErrandError);
      assert.equal((await work.list()).jobs.length, 0);
    });
  });

  it("one in another database is refused, and rolls back", async () => {
    const plain = task("plain", () => undefined);
    await onStage(library, { plain }, async ({ work }) => {
      await using elsewhere = await library.open(await serverUrl());
      await assert.rejects(
        elsewhere.transaction(async (tx) => void (await work.within(tx).enqueue(plain.with({})))),
        { code: "tx-foreign", isDefinite: true },
      );
    });
  });

  it("what the server refuses is told as by errand's own connections", async () => {
    const unique = task<Ref>("unique", { uniqueBy: "id", run: () => undefined });
    await onStage(library, { unique }, async ({ place, work, library: { transaction } }) => {
      const other = await place.pool.connect();
      try {
        await other.query("BEGIN");
        await work.within(other).enqueue(unique.with({ id: "7" }));
        const late = transaction(async (tx, run) => {
          await run("SET LOCAL lock_timeout = '10ms'");
          await work.within(tx).enqueue(unique.with({ id: "7" }));
        });
        await assert.rejects(late, { code: "store-busy", isDefinite: true });
      } finally {
        await other.query("ROLLBACK");
        other.release();
      }
    });
  });
}

/** Its run is said when the stage is there. */
interface EffectTask {
  readonly task: Task<object>;
  run(job: Job): Promise<void>;
}

function effectTask(): EffectTask {
  const made: EffectTask = { task: task<object>("effect", (_, job) => made.run(job)), run: () => Promise.resolve() };
  return made;
}

async function onStage(library: Library, definitions: DefinitionModule, play: (stage: Stage) => Promise<void>): Promise<void> {
  const place = await freshPlace();
  const table = `${place.schema}_rows`;
  await place.pool.query(`CREATE TABLE ${table} (name text NOT NULL)`);
  const work = new VirtualBroker({ engine: postgres(place.pool, { schema: place.schema }), definitions: [definitions] });
  try {
    await work.open();
    await using opened = await library.open(place.url);
    const rows = async (): Promise<readonly string[]> => (await place.pool.query<{ name: string }>(`SELECT name FROM ${table}`)).rows.map(({ name }) => name);
    await play({ place, work, library: opened, table, rows });
  } finally {
    await work.close();
    await place.pool.query(`DROP TABLE ${table}`);
    await place.done();
  }
}
