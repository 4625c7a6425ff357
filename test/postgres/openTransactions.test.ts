/** Transactions of the app's that stay open: nobody waits for them, and what they hold is nobody else's until they end. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import pg from "pg";
import type { NewWork, Outcome } from "../../src/core/engine.ts";
import { postgres } from "../../src/postgres/index.ts";
import { job, leaseMs, member, Stage } from "../port/stage.ts";
import { StillRuntime } from "../port/stillRuntime.ts";
import { TransitionWatch } from "../port/transitionWatch.ts";
import { beginningWith, freshPlace } from "./places.ts";
import { postgresMissing } from "./server.ts";

/** Whoever waits for a lock for so long fails, and so does its law. */
const waitsMs = 2_000;

/** A transaction of the app's, on a connection of its own. */
class Open {
  readonly #client: pg.Client;
  readonly #stage: Stage;

  constructor(client: pg.Client, stage: Stage) {
    this.#client = client;
    this.#stage = stage;
  }

  async enqueue(...works: readonly NewWork[]): Promise<string> {
    const [answer] = await this.#stage.engine.enqueue([{ works }], { ...this.#stage.at, tx: this.#client });
    assert.ok(Array.isArray(answer), String(answer));
    return answer.map(({ state }) => state).join(" ");
  }

  /** As `job.commit`. */
  async complete(id: string, outcome: Outcome = this.#stage.outcome(id, "completed")): Promise<string> {
    const [settled] = await this.#stage.engine.settle([outcome], { ...this.#stage.at, tx: this.#client });
    return settled?.is ?? "";
  }

  async end(how: "COMMIT" | "ROLLBACK"): Promise<void> {
    await this.#client.query(how);
  }

  /** Its process is gone, and the server has noticed: where a pooler stands between, a little later. */
  async breakOff(server: pg.Pool): Promise<void> {
    const { rows } = await this.#client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    await this.#client.end();
    const isThere = "SELECT FROM pg_stat_activity WHERE pid = $1 AND xact_start IS NOT NULL";
    while ((await server.query(isThere, [rows[0]?.pid])).rowCount !== 0);
  }
}

async function onStage(law: (stage: Stage, open: () => Promise<Open>, server: pg.Pool) => Promise<void>): Promise<void> {
  const place = await freshPlace();
  const pool = new pg.Pool({ connectionString: place.url, max: 2, ...beginningWith(`-c lock_timeout=${waitsMs}`) });
  const clients: pg.Client[] = [];
  const stage = new Stage(postgres(pool, { schema: place.schema }), new TransitionWatch());
  const open = async (): Promise<Open> => {
    const client = new pg.Client({ connectionString: place.appsUrl });
    clients.push(client);
    await client.connect();
    await client.query("BEGIN");
    return new Open(client, stage);
  };
  await stage.engine.open({ runtime: new StillRuntime() });
  try {
    await law(stage, open, place.pool);
  } finally {
    await Promise.all(clients.map((client) => client.end()));
    await stage.engine.close();
    await pool.end();
    await place.done();
  }
}

const laws: readonly { readonly law: string; readonly run: (stage: Stage, open: () => Promise<Open>, server: pg.Pool) => Promise<void> }[] = [
  {
    law: "an uncommitted enqueue with a lane keeps nobody waiting: claims, settles, beats, enqueues of its lane, cancels and tidy go on",
    run: async (stage, open) => {
      await stage.enqueue(member("a", "park"), member("b", "park"), job("other"));
      const tx = await open();
      assert.equal(await tx.enqueue(member("c", "park"), job("plain")), "blocked ready");
      assert.deepEqual(await stage.claimIds(), ["a", "other"]);
      assert.equal((await stage.beat()).isLost, false);
      await stage.enqueue(member("d", "park"));
      assert.equal(await stage.cancel("b"), "cancelled");
      await stage.settle("a", "completed");
      await stage.tidy();
      assert.deepEqual(await stage.claimIds(), ["d"]);
      assert.equal(await stage.states("c", "plain"), "unknown unknown");
      await stage.settle("d", "completed");
      await tx.end("COMMIT");
      assert.deepEqual(await stage.claimIds(), ["c", "plain"]);
    },
  },
  {
    law: "what is enqueued behind a job and commits after that job's end starts",
    run: async (stage, open) => {
      await stage.enqueue(member("a", "park"));
      assert.deepEqual(await stage.claimIds(), ["a"]);
      const tx = await open();
      assert.equal(await tx.enqueue(member("b", "park")), "blocked");
      await stage.settle("a", "completed");
      assert.deepEqual(await stage.claimIds(), []);
      await tx.end("COMMIT");
      assert.deepEqual(await stage.claimIds(), ["b"]);
    },
  },
  {
    law: "what is enqueued after another job and commits after that job's end starts",
    run: async (stage, open) => {
      await stage.enqueue(job("a"));
      assert.deepEqual(await stage.claimIds(), ["a"]);
      const tx = await open();
      await tx.enqueue(job("b", { after: [{ id: "a", when: "well" }] }));
      await stage.settle("a", "completed");
      await stage.tidy();
      await tx.end("COMMIT");
      assert.deepEqual(await stage.claimIds(), ["b"]);
    },
  },
  {
    law: "in a lane behind a job that died meanwhile it is parked",
    run: async (stage, open) => {
      await stage.enqueue(member("a", "park"));
      assert.deepEqual(await stage.claimIds(), ["a"]);
      const tx = await open();
      await tx.enqueue(member("b", "park"));
      await stage.settle("a", "dead", { reason: "broken" });
      await tx.end("COMMIT");
      assert.deepEqual(await stage.claimIds(), []);
      assert.equal(await stage.states("a", "b"), "parked parked");
    },
  },
  {
    law: "a completion that its process does not live to commit is nobody's until the transaction ends; rolled back, the job runs again",
    run: async (stage, open) => {
      await stage.enqueue(job("a"), job("b"));
      assert.deepEqual(await stage.claimIds(), ["a", "b"]);
      const tx = await open();
      assert.equal(await tx.complete("a"), "settled");
      await stage.crash();
      assert.deepEqual(await stage.claimIds(), ["b"]);
      await stage.settle("b", "completed");
      stage.advance(10 * leaseMs);
      await stage.tidy();
      assert.deepEqual(await stage.claimIds(), []);
      assert.equal(await stage.state("a"), "running");
      await tx.end("ROLLBACK");
      await stage.tidy();
      assert.deepEqual(await stage.claimIds(), ["a"]);
    },
  },
  {
    law: "committed after its lease has run out, it counts, and the job runs no more",
    run: async (stage, open) => {
      await stage.enqueue(job("a"));
      assert.deepEqual(await stage.claimIds(), ["a"]);
      const tx = await open();
      await tx.complete("a");
      await stage.crash();
      await tx.end("COMMIT");
      assert.deepEqual(await stage.claimIds(), []);
      assert.equal(await stage.state("a"), "completed");
      assert.deepEqual([(await stage.row("a")).starts, (await stage.row("a")).suspects], [1, 0]);
    },
  },
  {
    law: "of a connection that broke, the job runs again as after any crash",
    run: async (stage, open, server) => {
      await stage.enqueue(job("a"));
      assert.deepEqual(await stage.claimIds(), ["a"]);
      const tx = await open();
      await tx.complete("a");
      await tx.enqueue(job("follows"));
      await tx.breakOff(server);
      await stage.crash();
      assert.deepEqual(await stage.claimIds(), ["a"]);
      assert.equal(await stage.states("follows"), "unknown");
    },
  },
  {
    law: "a cancel of a job whose completion is open waits for nothing: committed it is completed",
    run: async (stage, open) => {
      await stage.enqueue(job("a"));
      assert.deepEqual(await stage.claimIds(), ["a"]);
      const tx = await open();
      await tx.complete("a");
      assert.equal(await stage.cancel("a"), "cancelling");
      await tx.end("COMMIT");
      assert.equal(await stage.state("a"), "completed");
      await stage.tidy();
      assert.equal(await stage.state("a"), "completed");
    },
  },
  {
    law: "rolled back, its worker hears of that cancel, and whatever it settles the job is cancelled",
    run: async (stage, open) => {
      await stage.enqueue(job("a"), job("b"));
      assert.deepEqual(await stage.claimIds(), ["a", "b"]);
      const tx = await open();
      await tx.complete("a");
      await tx.complete("b");
      assert.equal(await stage.cancel("a"), "cancelling");
      assert.equal(await stage.cancel("b"), "cancelling");
      await tx.end("ROLLBACK");
      await stage.tidy();
      assert.deepEqual((await stage.beat()).cancelled, ["a", "b"]);
      assert.equal((await stage.settle("a", "completed")).is, "cancelled");
      await stage.crash();
      assert.equal(await stage.states("a", "b"), "cancelled cancelled");
    },
  },
  {
    law: "a job that was cancelled before is refused its completion there",
    run: async (stage, open) => {
      await stage.enqueue(job("a"));
      assert.deepEqual(await stage.claimIds(), ["a"]);
      assert.equal(await stage.cancel("a"), "cancelling");
      const tx = await open();
      assert.equal(await tx.complete("a"), "cancelled");
      await tx.end("ROLLBACK");
    },
  },
  {
    law: "a completion whose job was taken over is refused there",
    run: async (stage, open) => {
      await stage.enqueue(job("a"));
      assert.deepEqual(await stage.claimIds(), ["a"]);
      const late = stage.outcome("a", "completed");
      await stage.crash();
      assert.deepEqual(await stage.claimIds(), ["a"]);
      const tx = await open();
      assert.equal(await tx.complete("a", late), "lease-lost");
    },
  },
  {
    law: "the beat renews what it holds, also where one of its completions is open",
    run: async (stage, open) => {
      await stage.enqueue(job("a"), job("b"));
      assert.deepEqual(await stage.claimIds(), ["a", "b"]);
      const tx = await open();
      await tx.complete("a");
      stage.advance(leaseMs - 1);
      assert.equal((await stage.beat()).isLost, false);
      stage.advance(leaseMs - 1);
      await stage.tidy();
      stage.process = "p2";
      assert.deepEqual(await stage.claimIds(), []);
      await tx.end("COMMIT");
      assert.equal(await stage.states("a", "b"), "completed running");
    },
  },
];

describe("an app's open transaction", { skip: postgresMissing ?? false }, () => {
  for (const { law, run } of laws) it(law, () => onStage(run));
});
