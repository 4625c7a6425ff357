/** Keys of a Redis server, or of a Cluster, that begin with a prefix of the run. */
import type { ServerAddress } from "../../conformance/sharedEngine.ts";
import { connectionOf } from "../../redis/client.ts";
import type { Connection } from "../../redis/client.ts";
import { keyOf, nodesIn } from "../../redis/nodes.ts";
import { defaultPrefix } from "../../redis/prefix.ts";
import { placeOf } from "../../redis/url.ts";
import { withoutSecrets } from "../../stores.ts";
import type { Place, Reach, Via } from "./place.ts";

const usualPort = 6_379;
const scannedAtOnce = 1_000;

export async function redisPlace(url: string, name: string): Promise<Place> {
  const { servers, isCluster, prefix: own = defaultPrefix, partitions } = placeOf(url);
  // Rights to keys may go by how they begin.
  const prefix = `${own.slice(0, 40)}_${name}`;
  const words: Words = { prefix, partitions };
  const [first = ""] = servers;
  const reached = isCluster ? await nodesOf(url, addressOf(first)) : servers.map(addressOf);
  const keys = `{${prefix}:*`;
  return {
    name: `${withoutSecrets(first)}${isCluster ? " and its cluster" : ""}, keys ${keys}`,
    servers: reached,
    reach: (via) => {
      if (via === undefined) return { by: "url", url: withWords(url, words) };
      return isCluster ? ofCluster(first, { words, nodes: reached, via }) : { by: "url", url: withWords(movedTo(first, via), words) };
    },
    remove: async () => {
      for (const node of reached) await withConnection(at(first, node), (connection) => unlink(connection, keys));
    },
    byHand: `redis-cli --scan --pattern '${keys}' | xargs -n 1 redis-cli unlink${isCluster ? ", on each primary" : ""}`,
  };
}

/** What a URL says to errand. */
interface Words {
  readonly prefix: string;
  readonly partitions: number | undefined;
}

interface Nodes {
  readonly words: Words;
  readonly nodes: readonly ServerAddress[];
  readonly via: Via;
}

function ofCluster(first: string, { words, nodes, via }: Nodes): Reach {
  const moved = Object.fromEntries(nodes.map((node) => [keyOf(node), via(node)]));
  return { by: "cluster", url: withWords(first, words), servers: nodes.map((node) => movedTo(at(first, node), via)), nodes: moved };
}

function nodesOf(url: string, from: ServerAddress): Promise<readonly ServerAddress[]> {
  return withConnection(url, async (connection) => nodesIn(await connection.ask("cluster", "slots"), from));
}

async function withConnection<T>(url: string, use: (connection: Connection) => Promise<T>): Promise<T> {
  const { connection } = connectionOf(url);
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}

/** Partitions may be on several nodes, and a node takes keys of one slot only in one call. What a replica has goes with its primary's. */
async function unlink(connection: Connection, pattern: string): Promise<void> {
  const [role] = (await connection.ask("role")) as [string];
  if (role !== "master") return;
  let cursor = "0";
  do {
    const [next, keys] = (await connection.ask("scan", cursor, "match", pattern, "count", String(scannedAtOnce))) as [string, string[]];
    for (const key of keys) await connection.ask("unlink", key);
    cursor = next;
  } while (cursor !== "0");
}

function addressOf(server: string): ServerAddress {
  const url = new URL(server);
  return { host: url.hostname.replace(/^\[(.*)\]$/, "$1"), port: url.port === "" ? usualPort : Number(url.port) };
}

function movedTo(server: string, via: Via): string {
  return at(server, via(addressOf(server)));
}

function at(server: string, { host, port }: ServerAddress): string {
  const url = new URL(server);
  url.hostname = host;
  url.port = String(port);
  return url.href;
}

function withWords(url: string, { prefix, partitions }: Words): string {
  const [address = "", parameters = ""] = url.split("?");
  const others = parameters.split("&").filter((parameter) => !/^(?:prefix=|partitions=|$)/.test(parameter));
  const words = [`prefix=${prefix}`, ...(partitions === undefined ? [] : [`partitions=${partitions}`])];
  return `${address}?${[...others, ...words].join("&")}`;
}
