/** Three masters and a replica of each. A master is killed and its replica takes over; a slot with keys of the store is moved while all work. */
import { machineMs } from "../../../src/runtime/machineClock.ts";
import type { Seeded } from "../../../src/verify/seeded.ts";
import { sleep } from "../../../src/verify/sleep.ts";
import { redisPlace } from "../../../src/verify/stores/redisPlace.ts";
import { TestCluster } from "../../../test/redis/cluster.ts";
import type { PrivateServer } from "../../../test/redis/privateServer.ts";
import type { Made, Stage } from "../stage.ts";
import { beside, own } from "./names.ts";
import { always } from "./redisStage.ts";

const partitions = 3;
/** As long as an answer may be on its way. */
const lagMs = 2_000;
const lookEveryMs = 20;
const takesOverWithinMs = 20_000;
const keysAtOnce = 20;

export async function redisClusterStage(): Promise<Stage> {
  const cluster = await TestCluster.start({ ...always, "cluster-require-full-coverage": "no" });
  const url = `${cluster.url}?partitions=${partitions}`;
  return {
    place: await redisPlace(url, own),
    neighbour: await redisPlace(url, beside),
    app: undefined,
    replicas: 1,
    disturbances: [
      { kind: "promote", make: (chance) => failOver(cluster, chance) },
      { kind: "move", make: (chance) => moveSlot(cluster, chance) },
    ],
    mayForget: true,
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}

/** What it acknowledged its replica has; what else it did may be gone. */
async function failOver(cluster: TestCluster, chance: Seeded): Promise<Made> {
  const shard = cluster.shards[chance.below(cluster.shards.length)];
  if (shard === undefined) throw new Error("the cluster has no shards");
  const from = machineMs();
  await cluster.killMaster(shard);
  await sleep(chance.between(0, 1_000));
  await shard.replica.ask("cluster", "failover", "takeover");
  await leads(shard.replica);
  await sleep(chance.between(0, 1_000));
  await cluster.revive();
  return { from, to: machineMs(), forgetsFrom: from - lagMs };
}

async function leads(server: PrivateServer): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += lookEveryMs) {
    const [role] = (await server.ask("role")) as [string];
    if (role === "master") return;
    if (waitedMs > takesOverWithinMs) throw new Error("the replica does not take over");
    await sleep(lookEveryMs);
  }
}

/** While it is on its way, scripts that need all of its keys wait. */
async function moveSlot(cluster: TestCluster, chance: Seeded): Promise<Made> {
  const masters = cluster.shards.map(({ master }) => master);
  const at = chance.below(masters.length);
  for (const [nth, from] of [...masters.slice(at), ...masters.slice(0, at)].entries()) {
    const slot = await slotWithKeys(cluster, from);
    const to = masters[(at + nth + 1) % masters.length];
    if (slot === undefined || to === undefined) continue;
    const begun = machineMs();
    await cluster.beginMove(slot, from, to);
    for (let steps = chance.below(5); steps > 0; steps--) {
      await cluster.moveKeys(slot, from, to, keysAtOnce);
      await sleep(chance.between(0, 150));
    }
    await cluster.endMove(slot, from, to);
    return { from: begun, to: machineMs() };
  }
  throw new Error("no node has keys of the store");
}

async function slotWithKeys(cluster: TestCluster, server: PrivateServer): Promise<number | undefined> {
  const key = await server.ask("randomkey");
  return typeof key === "string" ? cluster.slotOf(key) : undefined;
}
