/** An app that commits: each transaction inserts a row of the app's own and, where the system can, enqueues a job with it, while an idle worker takes the jobs in. */
import pg from "pg";
import { clientSecondsWith } from "../drain.ts";
import { callers, type Figures } from "../systems/system.ts";
import type { How } from "../working.ts";
import { Workers } from "../workers.ts";
import { Meter } from "./meter.ts";
import type { PostgresProducer, PostgresSystem } from "./system.ts";

const connections = 16;
/** Before anything is measured: connections are made, plans are, and the system knows its task. */
const warmUp = 320;
const idle: How = { hands: 10, for: "throughput", waitMs: 0 };
const lookEveryMs = 5;
const endsWithinMs = 120_000;

const install =
  "CREATE TABLE app_orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer text NOT NULL, placed_at timestamptz NOT NULL DEFAULT now())";
const insert = "INSERT INTO app_orders (customer) VALUES ($1)";

/** `jobs`: commits. */
export async function committers(system: PostgresSystem, url: string, jobs: number): Promise<Figures> {
  const [producer, meter] = [await system.produce(url), await Meter.on(url)];
  const app = new pg.Pool({ connectionString: url, max: connections }).on("error", () => undefined);
  await app.query(install);
  const workers = await Workers.ready(system.name, url, idle, producer.enqueueWithin === undefined ? 0 : 1);
  await workers.start();
  const commit = (): Promise<void> => commitOne(app, producer);
  await callers(warmUp, commit);
  await meter.settle();
  const figures = await meter.during(jobs, () => callers(jobs, commit), clientSecondsWith(workers));
  await allThere(system.name, app, producer, workers, jobs + warmUp);
  await workers.stop();
  const workersSeconds = await workers.cpuSeconds();
  workers.end();
  await app.end();
  await producer.close();
  await meter.close();
  return { ...figures, workersSeconds };
}

async function commitOne(app: pg.Pool, producer: PostgresProducer): Promise<void> {
  const client = await app.connect();
  try {
    await client.query("BEGIN");
    await client.query(insert, ["somebody"]);
    await producer.enqueueWithin?.(client, 1);
    await client.query("COMMIT");
    client.release();
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/** Each commit left its row, and each job that was enqueued with one ran once and has ended. */
async function allThere(name: string, app: pg.Pool, producer: PostgresProducer, workers: Workers, commits: number): Promise<void> {
  const { rows } = await app.query<{ orders: string }>("SELECT count(*) AS orders FROM app_orders");
  if (Number(rows[0]?.orders) !== commits) throw new Error(`${rows[0]?.orders} rows are left of ${commits} commits`);
  if (producer.enqueueWithin === undefined) return;
  for (const begin = performance.now(); ;) {
    const { unended, done } = await producer.counts();
    if (workers.runs === commits && unended === 0 && (done ?? commits) === commits) return;
    if (workers.runs > commits || performance.now() - begin > endsWithinMs) {
      throw new Error(`${name}: of ${commits} commits' jobs ${workers.runs} ran, ${done ?? "?"} are stored as done and ${unended} have not ended`);
    }
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}
