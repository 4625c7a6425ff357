/** The cluster that is measured: three masters and a replica of each, on free ports of this machine; it ends with the answer. */
import { Redis } from "ioredis";
import { TestCluster } from "../../test/redis/cluster.ts";
import type { Durability } from "./durability.ts";

const settings: Readonly<Record<Durability, Readonly<Record<string, string>>>> = {
  memory: { appendonly: "no" },
  "aof-everysec": { appendonly: "yes", appendfsync: "everysec" },
  "aof-always": { appendonly: "yes", appendfsync: "always" },
};
const triesMax = 1_000;

export interface Master {
  readonly url: string;
  /** Keys with this in braces are there. */
  readonly tag: string;
}

export async function onCluster<T>(durability: Durability, use: (url: string) => Promise<T>): Promise<T> {
  await using cluster = await TestCluster.start(settings[durability]);
  return await use(cluster.url);
}

/** The servers a URL names: one, or the nodes of a cluster. */
export function serversIn(url: string): readonly string[] {
  const cluster = "redis+cluster://";
  return url.startsWith(cluster)
    ? url
        .slice(cluster.length)
        .split(",")
        .map((node) => `redis://${node}`)
    : [url];
}

export async function mastersOf(url: string): Promise<readonly Master[]> {
  const client = new Redis(serversIn(url)[0] ?? "", { lazyConnect: true });
  await client.connect();
  const ranges = (await client.call("CLUSTER", "SLOTS")) as readonly (readonly [number, number, readonly [string, number]])[];
  const masters = await Promise.all(
    ranges.map(async ([first, last, [host, port]]) => {
      for (let at = 0; at < triesMax; at++) {
        const slot = Number(await client.call("CLUSTER", "KEYSLOT", `bare:${at}`));
        if (slot >= first && slot <= last) return { url: `redis://${host}:${port}`, tag: `bare:${at}` };
      }
      throw new Error(`no key is in the slots ${first} to ${last}`);
    }),
  );
  await client.quit();
  return masters;
}
