/** The drivers of Redis and Valkey, typed by the members used, and loaded only when errand itself has to connect. */
import { createRequire } from "node:module";
import { ErrandError } from "../core/errors.ts";

/** A client of `ioredis` or `iovalkey`. */
export interface RedisClient {
  readonly options: object;
  /** "wait", "connecting", "connect", "ready", "close", "reconnecting", "end". */
  readonly status: string;
  connect(): Promise<unknown>;
  disconnect(): void;
  /** Another one with the same options but for these. */
  duplicate(override: object): RedisClient;
  call(command: string, args: (string | Buffer)[]): Promise<unknown>;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  removeListener(event: string, listener: (...args: unknown[]) => void): unknown;
}

/** A `Cluster` of `ioredis` or `iovalkey`. */
export interface RedisCluster {
  readonly isCluster: boolean;
  readonly options: object;
  /** Those it knows by now. */
  nodes(): readonly Pick<RedisClient, "options">[];
}

/** The connection under a client. */
export interface Stream {
  ref?(): unknown;
  unref?(): unknown;
  cork?(): unknown;
  uncork?(): unknown;
  destroy?(): unknown;
}

/** What errand uses of a driver where it connects by itself. */
export type RedisClass = new (address: string | number | object, options?: object) => RedisClient;

export type DriverName = "ioredis" | "iovalkey";

/** In the order in which a URL takes them. */
export const drivers: readonly DriverName[] = ["ioredis", "iovalkey"];

const load: (name: string) => unknown = createRequire(import.meta.url);

/** Throws `engine-missing`. */
export function loadDriver(names: readonly DriverName[] = drivers, require: typeof load = load): RedisClass {
  let cause: unknown;
  for (const name of names) {
    try {
      return classOf(require(name));
    } catch (error) {
      cause ??= error;
    }
  }
  throw new ErrandError(
    "engine-missing",
    `the driver "${names.join('" or "')}" does not load here; run \`npm install ioredis\`, or give a client of your own`,
    {
      cause,
    },
  );
}

export function isInstalled(name: DriverName): boolean {
  try {
    load(name);
    return true;
  } catch {
    return false;
  }
}

function classOf(module: unknown): RedisClass {
  const { default: inside } = module as { readonly default?: unknown };
  return (typeof inside === "function" ? inside : module) as RedisClass;
}
