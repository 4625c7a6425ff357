/** Keys of a Redis server, or of a Cluster, that begin with a prefix of the run. */
import type { ServerAddress } from "../../conformance/sharedEngine.ts";
import { connectionOf } from "../../redis/client.ts";
import type { Connection } from "../../redis/client.ts";
import { keyOf, nodesIn } from "../../redis/nodes.ts";
import { defaultPrefix, homeOf } from "../../redis/prefix.ts";
import { placeOf } from "../../redis/url.ts";
import { withoutSecrets } from "../../stores.ts";
import type { Place, Reach, Via } from "./place.ts";

const usualPort = 6_379;
const scannedAtOnce = 1_000;

export async function redisPlace(url: string, name: string): Promise<Place> {
  const { servers, isCluster, prefix: own = defaultPrefix } = placeOf(url);
  // Rights to keys may go by how they begin.
  const prefix = `${own.slice(0, 40)}_${name}`;
  const [first = ""] = servers;
  const reached = isCluster ? await nodesOf(url, addressOf(first)) : servers.map(addressOf);
  const keys = `${homeOf(prefix)}*`;
  return {
    name: `${withoutSecrets(first)}${isCluster ? " and its cluster" : ""}, keys ${homeOf(prefix)}`,
    servers: reached,
    reach: (via) => (isCluster ? ofCluster(url, { prefix, servers, nodes: reached, via }) : { by: "url", url: withPrefix(movedTo(first, via), prefix) }),
    remove: () => withConnection(withPrefix(url, prefix), (connection) => unlink(connection, keys)),
    byHand: `redis-cli --scan --pattern '${keys}' | xargs redis-cli unlink`,
  };
}

interface Nodes {
  readonly prefix: string;
  readonly servers: readonly string[];
  readonly nodes: readonly ServerAddress[];
  readonly via: Via | undefined;
}

function ofCluster(url: string, { prefix, servers, nodes, via }: Nodes): Reach {
  if (via === undefined) return { by: "url", url: withPrefix(url, prefix) };
  const moved = Object.fromEntries(nodes.map((node) => [keyOf(node), via(node)]));
  return { by: "cluster", url: withPrefix(servers[0] ?? "", prefix), servers: nodes.map((node) => movedTo(at(servers[0] ?? "", node), via)), nodes: moved };
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

async function unlink(connection: Connection, pattern: string): Promise<void> {
  let cursor = "0";
  do {
    const [next, keys] = (await connection.ask("scan", cursor, "match", pattern, "count", String(scannedAtOnce))) as [string, string[]];
    if (keys.length > 0) await connection.ask("unlink", ...keys);
    cursor = next;
  } while (cursor !== "0");
}

function addressOf(server: string): ServerAddress {
  const url = new URL(server);
  return { host: url.hostname.replace(/^\[(.*)\]$/, "$1"), port: url.port === "" ? usualPort : Number(url.port) };
}

function movedTo(server: string, via: Via | undefined): string {
  return via === undefined ? server : at(server, via(addressOf(server)));
}

function at(server: string, { host, port }: ServerAddress): string {
  const url = new URL(server);
  url.hostname = host;
  url.port = String(port);
  return url.href;
}

function withPrefix(url: string, prefix: string): string {
  const [address = "", parameters = ""] = url.split("?");
  const others = parameters.split("&").filter((parameter) => parameter !== "" && !parameter.startsWith("prefix="));
  return `${address}?${[...others, `prefix=${prefix}`].join("&")}`;
}
