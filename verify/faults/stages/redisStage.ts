/** A Redis server that is killed, stopped for a while, or emptied. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { machineMs } from "../../../src/runtime/machineClock.ts";
import { sleep } from "../../../src/verify/sleep.ts";
import { redisPlace } from "../../../src/verify/stores/redisPlace.ts";
import { PrivateServer } from "../../../test/redis/privateServer.ts";
import type { Disturbance, Stage } from "../stage.ts";
import { crashOf } from "./crash.ts";
import { beside, own } from "./names.ts";

export const always = { appendonly: "yes", appendfsync: "always" } as const;

/** It keeps all that it has acknowledged. Transactions of the app are in a file beside it, from which what they hand in is moved on. */
export async function redisStage(leaseMs: number, partitions: number = 1): Promise<Stage> {
  const server = await PrivateServer.start({ settings: always });
  const folder = mkdtempSync(path.join(tmpdir(), "errand-faults-"));
  const url = `${server.url}?partitions=${partitions}`;
  return {
    place: await redisPlace(url, own),
    neighbour: await redisPlace(url, beside),
    app: { by: "sqlite", file: path.join(folder, "app.db"), isOutbox: true },
    replicas: 0,
    disturbances: [crashOf(server), hangOf(server, leaseMs)],
    mayForget: false,
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function hangOf(server: PrivateServer, leaseMs: number): Disturbance {
  return {
    kind: "hang",
    make: async (chance) => {
      const from = machineMs();
      const paused = server.pause();
      await sleep(chance.between(0.2, 1.2) * leaseMs);
      paused.resume();
      return { from, to: machineMs() };
    },
  };
}
