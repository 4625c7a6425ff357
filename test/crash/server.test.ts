/** The server's own deaths, and its backends', under real workers: what was acknowledged is there and ends, and nothing runs again without a reason. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { ErrandError } from "../../src/index.ts";
import { installation } from "../postgres/installations.ts";
import { PrivateServer } from "../postgres/privateServer.ts";
import { brief, type LedgerLine } from "./definitions.ts";
import { Fleet, now } from "./fleet.ts";
import { stores } from "./stores.ts";

const noServer = installation() === undefined ? "no PostgreSQL server is installed here; npm ci brings one" : false;
const onPostgres = stores.find(({ name }) => name === "postgres");

/** Hands in one by one, each until it is acknowledged: by the same call with the same ids. */
class Producer {
  readonly #fleet: Fleet;
  readonly ids: string[] = [];
  again = 0;
  #isStopped = false;
  readonly ended: Promise<void>;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
    this.ended = this.#run();
  }

  stop(): Promise<void> {
    this.#isStopped = true;
    return this.ended;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      this.ids.push(await this.#handIn(this.ids.length));
      await sleep(2);
    }
  }

  async #handIn(n: number): Promise<string> {
    let call = async (): Promise<{ id: string }> => this.#fleet.work.enqueue(brief.with({ n, ms: 5 }));
    for (;;) {
      try {
        return (await call()).id;
      } catch (error) {
        if (!ErrandError.is(error)) throw error;
        this.again += 1;
        call = async () => (await error.again()) as { id: string };
        await sleep(20);
      }
    }
  }
}

test(
  "the server is killed with kill -9 five times, in the midst of enqueues and claims: every acknowledged job is there and ends, each once but for what the kills explain, and workers claim within 2 s of its return",
  {
    skip: noServer,
  },
  async (context) => {
    await using server = await PrivateServer.start();
    await using fleet = new Fleet({ url: server.url, dispose: () => undefined });
    await fleet.work.open();
    await fleet.worker({ hands: 5 });
    await fleet.worker({ hands: 5 });
    const producer = new Producer(fleet);
    const kills: number[] = [];
    const returns: number[] = [];
    for (let kill = 0; kill < 5; kill++) {
      const before = fleet.lines().length;
      await fleet.until("work is done", () => fleet.lines().length > before + 100, 20);
      kills.push(now());
      await server.kill();
      await sleep(kill * 300);
      await server.start();
      const up = now();
      await fleet.until("a worker has claimed", () => fleet.lines().some(({ is, at }) => is === "start" && at > up), 10);
      returns.push((fleet.lines().find(({ is, at }) => is === "start" && at > up)?.at ?? 0) - up);
    }
    await producer.stop();
    const jobs = producer.ids.length;
    await fleet.until("all completed", async () => (await fleet.work.count()).completed === jobs, 60);
    assert.equal(new Set(producer.ids).size, jobs);
    for (const id of producer.ids) assert.equal((await fleet.work.find(id))?.state, "completed", id);
    const unexplained = ranAgain(fleet.lines()).filter((runs) => !runs.slice(0, -1).every((run) => isTouched(run, kills)));
    assert.deepEqual(unexplained, []);
    context.diagnostic(
      `kills ${kills.length}, jobs ${jobs}, enqueues made again ${producer.again}, ran again ${ranAgain(fleet.lines()).length}, first start after the return: ${returns.join(", ")} ms`,
    );
    assert.ok(producer.again > 0, "no call was hit: the test proves nothing");
    assert.ok(Math.max(...returns) <= 2_000, `workers came back after ${Math.max(...returns)} ms`);
  },
);

test(
  "backends are terminated in the midst of verbs: nothing is lost, and nothing runs twice",
  { skip: onPostgres?.skip ?? "no PostgreSQL" },
  async (context) => {
    assert.ok(onPostgres);
    const store = await onPostgres.fresh();
    await using fleet = new Fleet(store);
    await fleet.work.open();
    await fleet.worker({ hands: 5 });
    await fleet.worker({ hands: 5 });
    const axe = new pg.Client({ connectionString: store.url.replace(/\?.*/, ""), application_name: "axe" });
    await axe.connect();
    const producer = new Producer(fleet);
    let [hit, midst] = [0, 0];
    for (let blow = 0; blow < 60; blow++) {
      const before = fleet.lines().length;
      await fleet.until("work is done", () => fleet.lines().length > before + 10, 20);
      const { rows } = await axe.query<{ midst: boolean }>(
        `SELECT state = 'active' AS midst, pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'errand' AND (state = 'active' OR $1::int % 10 = 0)`,
        [blow],
      );
      hit += rows.length;
      midst += rows.filter((row) => row.midst).length;
    }
    await producer.stop();
    await axe.end();
    const jobs = producer.ids.length;
    await fleet.until("all completed", async () => (await fleet.work.count()).completed === jobs, 60);
    context.diagnostic(
      `backends ended ${hit}, ${midst} of them in a verb; jobs ${jobs}, enqueues made again ${producer.again}, ran again ${ranAgain(fleet.lines()).length}`,
    );
    assert.ok(midst > 0, "no verb was hit: the test proves nothing");
    assert.deepEqual(ranAgain(fleet.lines()), []);
  },
);

interface Run {
  readonly n: number;
  readonly from: number;
  readonly to: number;
}

/** The runs of each job that ran more than once. */
function ranAgain(lines: readonly LedgerLine[]): readonly (readonly Run[])[] {
  const byJob = Map.groupBy(lines, ({ n }) => n);
  return [...byJob].flatMap(([n, own]) => {
    const runs = own
      .filter(({ is }) => is === "start")
      .map(({ at, fence, pid }) => ({
        n,
        from: at,
        to: own.find((line) => line.is !== "start" && line.fence === fence && line.pid === pid)?.at ?? Number.POSITIVE_INFINITY,
      }));
    return runs.length > 1 ? [runs] : [];
  });
}

/** Its outcome may have been on its way for a while after its end. */
const onTheWayMs = 500;

function isTouched({ from, to }: Run, kills: readonly number[]): boolean {
  return kills.some((at) => from <= at && at <= to + onTheWayMs);
}
