/** How a connection is had to the server that holds the keys: one server that is named, or the node of a cluster that has them now. */
import type { Ms } from "../core/runtime.ts";
import type { Reach } from "./client.ts";
import { drivers, isInstalled } from "./driver.ts";
import type { DriverName, RedisClient } from "./driver.ts";
import { Wire, wireOptions } from "./wire.ts";

export interface Way {
  /** Where it leads, for messages: without a password. */
  readonly name: string;
  /** Of a cluster. Then a call that was refused is made again, for a while. */
  readonly isCluster: boolean;
  /** To the server that holds the keys. Throws ErrandError, definite. */
  dial(answerMs: Ms): Promise<Wire>;
  /** To a server where all is heard that is published there. Throws ErrandError, definite. */
  dialToHear(answerMs: Ms): Promise<Wire>;
  /** How another thread gets there; undefined where that cannot be told to it. */
  reach(): Reach | undefined;
}

/** In what a driver takes to connect; the rest is about what errand does its own way, or cannot be told to another thread. */
const reachNames = [
  "host",
  "port",
  "path",
  "family",
  "username",
  "password",
  "db",
  "tls",
  "sentinels",
  "name",
  "sentinelUsername",
  "sentinelPassword",
  "sentinelTLS",
  "enableTLSForSentinelMode",
  "natMap",
];

/** After the pattern of a client, which itself is never used to connect, nor closed. */
export class ServerWay implements Way {
  readonly name: string;
  readonly isCluster = false;
  readonly #pattern: RedisClient;

  constructor(pattern: RedisClient) {
    this.#pattern = pattern;
    this.name = nameOf(pattern.options);
  }

  dial(answerMs: Ms): Promise<Wire> {
    return Wire.open(this.#pattern.duplicate(wireOptions(answerMs)), this.name);
  }

  dialToHear(answerMs: Ms): Promise<Wire> {
    return this.dial(answerMs);
  }

  reach(): Reach | undefined {
    return reachOf(this.#pattern);
  }
}

export function reachOf(pattern: RedisClient): Reach | undefined {
  const all = pattern.options as Readonly<Record<string, unknown>>;
  const driver: DriverName | undefined = drivers.find((name) => isInstalled(name));
  if (driver === undefined || typeof all["Connector"] === "function") return undefined;
  const options = Object.fromEntries(reachNames.flatMap((name) => (isSaid(all[name]) ? [[name, all[name]]] : [])));
  return isCloneable(options) ? { driver, options } : undefined;
}

function isSaid(option: unknown): boolean {
  return option !== undefined && option !== null;
}

function isCloneable(options: object): boolean {
  try {
    structuredClone(options);
    return true;
  } catch {
    return false;
  }
}

/** Of the server that these options lead to. */
export function nameOf(options: object): string {
  const { host = "localhost", port = 6_379, path, db, sentinels, name, tls } = options as Readonly<Record<string, unknown>>;
  const number = typeof db === "number" && db !== 0 ? `/${db}` : "";
  if (Array.isArray(sentinels)) return `redis-sentinel://${String(name)}${number}`;
  if (typeof path === "string") return `redis+unix:${path}${number}`;
  return `${isSaid(tls) && tls !== false ? "rediss" : "redis"}://${String(host)}:${String(port)}${number}`;
}
