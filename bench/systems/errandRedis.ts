/** errand on Redis: default settings. */
import type { RedisSystem } from "../redis/system.ts";
import { errandClaims } from "./errandClaims.ts";
import { ErrandOn } from "./errandOn.ts";

/** Without a key, or ordered by one of so many; on a server, or with so many partitions on a cluster. */
export function errandRedis(keys?: number, partitions?: number): RedisSystem {
  const errand = new ErrandOn(keys);
  const spread = partitions === undefined ? "" : `, ${partitions} partitions`;
  const spreadOver = (url: string): string => (partitions === undefined ? url : `${url}?partitions=${partitions}`);
  return {
    name: errand.named(partitions === undefined ? "errand (redis)" : "errand (cluster)"),
    ...(partitions !== undefined && { on: "cluster" }),
    settings: `default settings${spread}, completed jobs kept${errand.order}`,
    produce: (url) => errand.produce(spreadOver(url)),
    work: (url, how, run) => errand.work(spreadOver(url), how, run),
    claims: (url, times) => errandClaims(url, "noop", times),
  };
}
