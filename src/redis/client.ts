/** The connections to a Redis or Valkey server: errand's own, made from a URL or after the pattern of a client that was handed in and stays the app's. */
import { ErrandError } from "../core/errors.ts";
import { loadDriver } from "./driver.ts";
import type { RedisClient } from "./driver.ts";
import type { Script } from "./fragment.ts";
import { defaultPrefix } from "./prefix.ts";
import { RedisConnection } from "./redisConnection.ts";
import type { ConnectionOptions } from "./redisConnection.ts";
import { placeOf } from "./url.ts";

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
  readonly driver: "ioredis" | "iovalkey";
  readonly options: object;
}

export interface Given {
  readonly connection: RedisConnection;
  /** As the URL says. */
  readonly prefix: string | undefined;
}

/**
 * `redis://…`, `rediss://…`, or a client of ioredis or iovalkey, whose options are taken: errand's connections are its own, since one that others use waits for what they ask.
 * Throws `engine-missing`, `option-invalid`.
 */
export function connectionOf(given: unknown, options: ConnectionOptions = {}): Given {
  if (typeof given === "string") return ofUrl(given, options);
  if (isCluster(given)) {
    throw new ErrandError("option-invalid", 'errand does not use a cluster yet; give the client of a server that is in none: redis(new Redis("redis://host"))');
  }
  if (!isRedisClient(given)) {
    throw new ErrandError("option-invalid", 'that is no connection to Redis; give a URL ("redis://host/0"), or a client of "ioredis" or "iovalkey"');
  }
  const { keyPrefix } = given.options as { readonly keyPrefix?: unknown };
  return {
    connection: new RedisConnection(given, options),
    prefix: typeof keyPrefix === "string" && keyPrefix !== "" ? `${keyPrefix}${defaultPrefix}` : undefined,
  };
}

function ofUrl(text: string, options: ConnectionOptions): Given {
  const { server, prefix } = placeOf(text);
  const Client = loadDriver();
  return { connection: new RedisConnection(new Client(server, { lazyConnect: true }), options), prefix };
}

function isRedisClient(given: unknown): given is RedisClient {
  return has(given, "options", "status", "duplicate", "connect", "disconnect", "call");
}

function isCluster(given: unknown): boolean {
  return has(given, "isCluster") && (given as { readonly isCluster: unknown }).isCluster === true;
}

function has(given: unknown, ...names: readonly string[]): boolean {
  return typeof given === "object" && given !== null && names.every((name) => name in given);
}
