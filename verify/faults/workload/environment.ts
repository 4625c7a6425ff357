/** What a process of such a run is told beside its assignment; by the environment, as that is. */
import type { Engine } from "../../../src/core/engine.ts";
import { loadDriver } from "../../../src/redis/driver.ts";
import { redis } from "../../../src/redis/index.ts";
import { placeOf } from "../../../src/redis/url.ts";
import { sqlite } from "../../../src/sqlite/index.ts";
import type { Reach } from "../../../src/verify/stores/place.ts";
import { engineAt } from "../../../src/verify/stores/reached.ts";
import type { AppDatabase } from "../stage.ts";

export interface FaultsEnvironment {
  readonly app?: AppDatabase | undefined;
  readonly replicas: number;
  /** Of one producer. */
  readonly rates: Rates;
}

/** A second; a rate of 0: never. */
export interface Rates {
  /** Calls, of {@link bulkJobs} jobs each. */
  readonly bulk: number;
  readonly within: number;
  readonly restored: number;
  /** Jobs of a task that may start so often. */
  readonly paced: number;
  readonly poison: number;
}

const variable = "ERRAND_FAULTS";

export function tellProcesses(environment: FaultsEnvironment): void {
  process.env[variable] = JSON.stringify(environment);
}

export function environmentHere(): FaultsEnvironment {
  return JSON.parse(process.env[variable] ?? "{}") as FaultsEnvironment;
}

/** What a URL of Redis cannot say: how many replicas have what is acknowledged, and an outbox. */
export async function ownEngineAt(reach: Reach): Promise<Engine> {
  const { app, replicas } = environmentHere();
  const outbox = app?.by === "sqlite" && app.isOutbox === true ? sqlite(app.file) : undefined;
  if (reach.by === "url" && outbox !== undefined) return redis(reach.url, { outbox });
  if (reach.by !== "cluster") return engineAt(reach);
  const { prefix, partitions, servers: plain } = placeOf(reach.url);
  const Client = loadDriver();
  const { options } = new Client(plain[0] ?? "", { lazyConnect: true });
  const cluster = { isCluster: true, options: { redisOptions: options, natMap: reach.nodes }, startupNodes: reach.servers, nodes: () => [] };
  return redis(cluster, { replicas, ...(prefix !== undefined && { prefix }), ...(partitions !== undefined && { partitions }) });
}
