/** A PostgreSQL server that is killed, stopped for a while, and ends its backends; also behind PgBouncer. */
import { machineMs } from "../../../src/runtime/machineClock.ts";
import { sleep } from "../../../src/verify/sleep.ts";
import { postgresPlace } from "../../../src/verify/stores/postgresPlace.ts";
import { PgBouncer } from "../../../test/postgres/pgbouncer.ts";
import { PrivateServer } from "../../../test/postgres/privateServer.ts";
import type { Disturbance, Stage } from "../stage.ts";
import { crashOf } from "./crash.ts";
import { beside, own } from "./names.ts";
import { onServer, pausePostgres } from "./postgresServer.ts";

/** Some fifteen processes with half a dozen connections each. */
export const postgresSettings = { max_connections: 300, shared_buffers: "64MB", autovacuum_naptime: "5s" } as const;

export async function postgresStage(leaseMs: number): Promise<Stage> {
  const server = await PrivateServer.start({ settings: postgresSettings });
  return {
    place: postgresPlace(server.url, own),
    neighbour: postgresPlace(server.url, beside),
    app: { by: "postgres", url: server.url },
    replicas: 0,
    disturbances: disturbancesOf(server, leaseMs),
    mayForget: false,
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

export async function pooledStage(leaseMs: number): Promise<Stage> {
  const server = await PrivateServer.start({ settings: postgresSettings });
  const pooler = await PgBouncer.before(server.url);
  return {
    place: postgresPlace(pooler.url, own),
    neighbour: postgresPlace(pooler.url, beside),
    app: { by: "postgres", url: pooler.appsUrl },
    replicas: 0,
    disturbances: disturbancesOf(server, leaseMs),
    mayForget: false,
    [Symbol.asyncDispose]: async () => {
      await pooler[Symbol.asyncDispose]();
      await server.stop();
    },
  };
}

function disturbancesOf(server: PrivateServer, leaseMs: number): readonly Disturbance[] {
  return [
    crashOf(server),
    {
      kind: "hang",
      make: async (chance) => {
        const from = machineMs();
        const goOn = pausePostgres(server);
        await sleep(chance.between(0.2, 1.2) * leaseMs);
        goOn();
        return { from, to: machineMs() };
      },
    },
    {
      kind: "terminate",
      make: async () => {
        const from = machineMs();
        await onServer(server.url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()");
        return { from, to: machineMs() };
      },
    },
  ];
}
