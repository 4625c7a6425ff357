/** Agenda on PostgreSQL: its own backend, which notifies, and one worker of many hands. */
import { PostgresBackend } from "@agendajs/postgres-backend";
import { Agenda } from "agenda";
import pg from "pg";
import type { PostgresSystem } from "../postgres/system.ts";

const name = "noop";
const processEvery = 100;
const poolMost = 10;

export const agenda: PostgresSystem = {
  name: "Agenda",
  settings:
    "6.2.6 on @agendajs/postgres-backend 3.0.6 with LISTEN/NOTIFY, a pool of 10, processEvery 100 ms, concurrency 100, lockLimit 0 (none), removeOnComplete; it has no bulk, so each job is a `now`; done jobs are deleted",
  schema: "public",
  async produce(url) {
    const { client, pool } = await ready(url, 0);
    return {
      enqueue: (ids) => Promise.all(ids.map((id) => client.now(name, { id }))),
      enqueueOne: (id) => client.now(name, { id }),
      enqueueDue: (ids, at) => Promise.all(ids.map((id) => client.schedule(new Date(at), name, { id }))),
      counts: async () => ({ unended: Number((await pool.query<{ jobs: string }>("SELECT count(*) AS jobs FROM agenda_jobs")).rows[0]?.jobs) }),
      async close() {
        await client.stop();
        await pool.end();
      },
    };
  },
  async work(url, { hands }, run) {
    const { client: worker, pool } = await ready(url, hands);
    // What answers a promise is an overload of its own.
    const define = worker.define.bind(worker) as (name: string, handler: (job: Numbered) => Promise<void>) => void;
    define(name, async (job) => await run(job.attrs.data.id));
    return {
      start: () => worker.start(),
      enqueueOne: (id) => worker.now(name, { id }),
      // Whatever runs has ended by then: nothing is stopped in the middle of its jobs.
      async stop() {
        await worker.stop();
        await pool.end();
      },
    };
  },
};

interface Numbered {
  readonly attrs: { readonly data: { readonly id: number } };
}

/** A pool that is handed in is not closed by it; its own is only closed where it was at work. */
async function ready(url: string, hands: number): Promise<{ readonly client: Agenda; readonly pool: pg.Pool }> {
  const pool = new pg.Pool({ connectionString: url, max: poolMost }).on("error", () => undefined);
  const client = new Agenda({
    backend: new PostgresBackend({ pool }),
    processEvery,
    removeOnComplete: true,
    ...(hands > 0 && { defaultConcurrency: hands, maxConcurrency: hands }),
  });
  client.on("error", (error) => console.error(error));
  await client.ready;
  return { client, pool };
}
