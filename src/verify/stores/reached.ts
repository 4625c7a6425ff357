/** The engine of a process of the run. */
import type { Engine } from "../../core/engine.ts";
import { loadDriver } from "../../redis/driver.ts";
import { redis } from "../../redis/index.ts";
import { placeOf } from "../../redis/url.ts";
import { engineOf } from "../../stores.ts";
import { sharedEngineIn } from "./modulePlace.ts";
import type { Reach } from "./place.ts";

export async function engineAt(reach: Reach): Promise<Engine> {
  if (reach.by === "url") return engineOf(reach.url);
  if (reach.by === "cluster") return ofCluster(reach);
  return (await sharedEngineIn(reach.module)).engine(reach.place, reach.via);
}

/** What errand takes of a driver's cluster: its options, and where to begin. */
function ofCluster({ url, servers, nodes }: Extract<Reach, { readonly by: "cluster" }>): Engine {
  const { prefix, partitions, servers: plain } = placeOf(url);
  const Client = loadDriver();
  const { options } = new Client(plain[0] ?? "", { lazyConnect: true });
  const cluster = { isCluster: true, options: { redisOptions: options, natMap: nodes }, startupNodes: servers, nodes: () => [] };
  return redis(cluster, { ...(prefix !== undefined && { prefix }), ...(partitions !== undefined && { partitions }) });
}
