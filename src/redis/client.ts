/** The connections to a Redis or Valkey server: errand's own, made from a URL or after the pattern of a client that was handed in and stays the app's. */
import { ErrandError } from "../core/errors.ts";
import { ClusterWay } from "./cluster.ts";
import { loadDriver } from "./driver.ts";
import type { DriverName, RedisClient, RedisClass, RedisCluster } from "./driver.ts";
import type { Script } from "./fragment.ts";
import type { Address, NatMap } from "./nodes.ts";
import { checkPrefix, defaultPrefix, homeOf } from "./prefix.ts";
import { RedisConnection } from "./redisConnection.ts";
import type { ConnectionOptions } from "./redisConnection.ts";
import { placeOf } from "./url.ts";
import type { Place } from "./url.ts";
import { ServerWay } from "./way.ts";

export type Argument = string | Buffer;

/** Answers of the server are as it sent them, texts as UTF-8. Throws ErrandError, definite unless the store may have done it. */
export interface Connection {
  /** Where it is, for messages: without a password. */
  readonly name: string;
  /** One script on one key, one atom, one round trip. No wait is unbounded. */
  run(script: Script, key: string, args: readonly Argument[]): Promise<unknown>;
  /** As `run`, for what is acknowledged to somebody: waits for as many replicas as were asked for. Without any it is `run`. */
  write(script: Script, key: string, args: readonly Argument[]): Promise<unknown>;
  /** One command. */
  ask(command: string, ...args: readonly Argument[]): Promise<unknown>;
  /** A connection beside this one that hears a channel. */
  hear(channel: string, ear: Ear): Promise<Hearing>;
  /** How another thread connects to the same server; undefined where that cannot be told to it. */
  reach(): Reach | undefined;
  close(): Promise<void>;
}

export interface Ear {
  heard(message: string): void;
  /** Once; nothing is heard any more. */
  lost(error: Error): void;
}

export interface Hearing {
  /** Resolves when the server answers on this connection. */
  probe(): Promise<void>;
  end(): void;
}

/** Can be cloned into another thread. */
export interface Reach {
  readonly driver: DriverName;
  readonly options: object;
  /** Of a cluster: the options are those for any of its nodes. */
  readonly cluster?: { readonly nodes: readonly Address[]; readonly natMap?: Readonly<Record<string, Address>> };
}

export interface Given {
  readonly connection: RedisConnection;
  /** What errand's keys begin with: as it was asked for, else as the URL says, or after the client's own. */
  readonly prefix: string;
}

export interface GivenOptions extends ConnectionOptions {
  readonly prefix?: string | undefined;
  /** What the keys begin with that it must lead to, where that is not the first home. */
  readonly home?: string | undefined;
}

/**
 * A URL, or a client or a cluster of ioredis or iovalkey, whose options are taken: errand's connections are its own, since one that others use waits for what they ask.
 * Throws `engine-missing`, `option-invalid`.
 */
export function connectionOf(given: unknown, { prefix, home, ...options }: GivenOptions = {}): Given {
  if (typeof given === "string") return ofUrl(placeOf(given), { prefix, home }, options);
  if (isCluster(given)) {
    const own = prefix ?? prefixOf(given);
    return { connection: new RedisConnection(wayInto(given, home ?? homeOf(own)), options), prefix: own };
  }
  if (!isRedisClient(given)) {
    throw new ErrandError(
      "option-invalid",
      'that is no connection to Redis; give a URL ("redis://host/0"), or a client or a cluster of "ioredis" or "iovalkey"',
    );
  }
  return { connection: new RedisConnection(new ServerWay(given), options), prefix: prefix ?? prefixOf(given) };
}

function ofUrl({ servers, isCluster: isOfCluster, prefix: said }: Place, asked: Pick<GivenOptions, "prefix" | "home">, options: ConnectionOptions): Given {
  const Client = loadDriver();
  const prefix = asked.prefix ?? said ?? defaultPrefix;
  const patterns = servers.map((server) => new Client(server, { lazyConnect: true }));
  const [pattern] = patterns;
  if (pattern === undefined) throw new ErrandError("option-invalid", 'the URL names no server; write "redis://host:6379/0"');
  const way = isOfCluster ? new ClusterWay(pattern, { nodes: patterns.map(addressOf) }, asked.home ?? homeOf(prefix)) : new ServerWay(pattern);
  return { connection: new RedisConnection(way, options), prefix };
}

/** Begins at the nodes that it was made with, and those it knows by now. */
function wayInto(cluster: RedisCluster, home: string): ClusterWay {
  const Client = loadDriver();
  const { redisOptions = {}, natMap } = cluster.options as { readonly redisOptions?: object; readonly natMap?: NatMap };
  const { startupNodes = [] } = cluster as { readonly startupNodes?: readonly (string | number | object)[] };
  const firsts = startupNodes.map((node) => patternOf(Client, node, redisOptions));
  const nodes = [...firsts, ...cluster.nodes()].map(addressOf);
  const [pattern = new Client({ ...redisOptions, lazyConnect: true })] = firsts;
  return new ClusterWay(pattern, { nodes, ...(natMap !== undefined && natMap !== null && { natMap }) }, home);
}

/** Each driver reads what may stand there: a URL, a port, options. */
function patternOf(Client: RedisClass, node: string | number | object, options: object): RedisClient {
  if (typeof node === "object") return new Client({ ...options, ...node, lazyConnect: true });
  return new Client(node, { ...options, lazyConnect: true });
}

function addressOf({ options }: Pick<RedisClient, "options">): Address {
  const { host = "127.0.0.1", port = 6_379 } = options as { readonly host?: string; readonly port?: number };
  return { host, port: Number(port) };
}

function prefixOf({ options }: Pick<RedisClient, "options">): string {
  const { keyPrefix } = options as { readonly keyPrefix?: unknown };
  return typeof keyPrefix === "string" && keyPrefix !== "" ? checkPrefix(`${keyPrefix}${defaultPrefix}`) : defaultPrefix;
}

function isRedisClient(given: unknown): given is RedisClient {
  return has(given, "options", "status", "duplicate", "connect", "disconnect", "call");
}

function isCluster(given: unknown): given is RedisCluster {
  return has(given, "isCluster", "options", "nodes") && (given as { readonly isCluster: unknown }).isCluster === true;
}

function has(given: unknown, ...names: readonly string[]): boolean {
  return typeof given === "object" && given !== null && names.every((name) => name in given);
}
