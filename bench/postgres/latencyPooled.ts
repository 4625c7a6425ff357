/** Single enqueues through PgBouncer to an idle worker in another process, which hears of nothing: how long until the run starts? */
import { PgBouncer } from "../../test/postgres/pgbouncer.ts";
import { startsAcross } from "../latency.ts";
import { quantiles, type Figures } from "../systems/system.ts";
import type { PostgresSystem } from "./system.ts";

/** The worker looks at a pace of its own, which must not be met at the same moment of it each time. */
const atRandomMs = (): number => 100 * Math.random();

/** The first job, before which nothing came, is left out. */
export async function latencyPooled(system: PostgresSystem, url: string, jobs: number): Promise<Figures> {
  await using pooler = await PgBouncer.before(url);
  const { samples, workersSeconds } = await startsAcross(system, pooler.url, 1 + jobs, atRandomMs);
  return { ...quantiles(samples.slice(1)), workersSeconds };
}
