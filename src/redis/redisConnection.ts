/** A connection that is there when it is asked for: after it broke, the next call makes another one, which is greeted before anything else. */
import type { Ms } from "../core/runtime.ts";
import { redisAnswerMs } from "../core/defaults.ts";
import { ErrandError } from "../core/errors.ts";
import type { Argument, Connection, Ear, Hearing, Reach } from "./client.ts";
import { drivers, isInstalled } from "./driver.ts";
import type { RedisClient } from "./driver.ts";
import type { Script } from "./fragment.ts";
import { Replicas } from "./replicas.ts";
import { runScript } from "./scripts.ts";
import { Wire, wireOptions } from "./wire.ts";

/** What a new connection is asked first. Where it throws, the connection is not used. */
export type Greeting = (greeted: Pick<Connection, "name" | "ask" | "run">) => Promise<void>;

export interface ConnectionOptions {
  readonly answerMs?: Ms;
  /** So many replicas have what `write` wrote. */
  readonly replicas?: number;
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

interface Line {
  readonly wire: Wire;
  readonly replicas: Replicas;
}

export class RedisConnection implements Connection {
  readonly name: string;
  readonly #pattern: RedisClient;
  readonly #options: ConnectionOptions;
  #greeting: Greeting | undefined;
  #line: Line | undefined;
  #opening: Promise<Line> | undefined;
  readonly #pending: Set<Promise<unknown>> = new Set();
  #isClosed = false;

  /** After the pattern of a client, which itself is never used to connect, nor closed. */
  constructor(pattern: RedisClient, options: ConnectionOptions = {}) {
    this.#pattern = pattern;
    this.#options = options;
    this.name = nameOf(pattern.options);
  }

  /** From the next connection on. */
  greetBy(greeting: Greeting): void {
    this.#greeting = greeting;
  }

  run(script: Script, key: string, args: readonly Argument[]): Promise<unknown> {
    return this.#on(({ wire }) => runScript((command, all) => wire.ask(command, all), script, key, args));
  }

  write(script: Script, key: string, args: readonly Argument[]): Promise<unknown> {
    return this.#on(async ({ wire, replicas }) => {
      const answer = await runScript((command, all) => wire.ask(command, all), script, key, args);
      await replicas.have();
      return answer;
    });
  }

  ask(command: string, ...args: readonly Argument[]): Promise<unknown> {
    return this.#on(({ wire }) => wire.ask(command, args));
  }

  async hear(channel: string, ear: Ear): Promise<Hearing> {
    const wire = await this.#dial();
    let isOver = false;
    wire.hear(
      (message) => {
        if (!isOver) ear.heard(message);
      },
      (error) => {
        if (!isOver) ear.lost(error);
        isOver = true;
      },
    );
    const end = (): void => {
      isOver = true;
      wire.end();
    };
    try {
      await wire.ask("subscribe", [channel]);
    } catch (error) {
      end();
      throw error;
    }
    return { probe: async () => void (await wire.ask("ping", [])), end };
  }

  reach(): Reach | undefined {
    const all = this.#pattern.options as Readonly<Record<string, unknown>>;
    const driver = drivers.find((name) => isInstalled(name));
    if (driver === undefined || typeof all["Connector"] === "function") return undefined;
    const options = Object.fromEntries(reachNames.flatMap((name) => (isSaid(all[name]) ? [[name, all[name]]] : [])));
    return isCloneable(options) ? { driver, options } : undefined;
  }

  /** What is under way ends first. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#pending);
    this.#line?.wire.end();
    this.#line = undefined;
  }

  #on<T>(work: (line: Line) => Promise<T>): Promise<T> {
    const current = this.#line;
    const answer = current !== undefined && !current.wire.isOver ? work(current) : this.#connected().then(work);
    this.#pending.add(answer);
    const done = (): boolean => this.#pending.delete(answer);
    answer.then(done, done);
    return answer;
  }

  #connected(): Promise<Line> {
    if (this.#isClosed) return Promise.reject(new ErrandError("broker-closed", `the connection to ${this.name} was closed; open its broker before using it`));
    return (this.#opening ??= this.#open().finally(() => (this.#opening = undefined)));
  }

  async #open(): Promise<Line> {
    const wire = await this.#dial();
    const ask = (command: string, args: readonly Argument[]): Promise<unknown> => wire.ask(command, args);
    try {
      await this.#greeting?.({
        name: this.name,
        ask: (command, ...args) => ask(command, args),
        run: (script, key, args) => runScript(ask, script, key, args),
      });
    } catch (error) {
      wire.end();
      throw error;
    }
    return (this.#line = { wire, replicas: new Replicas(ask, this.name, this.#options.replicas ?? 0) });
  }

  #dial(): Promise<Wire> {
    return Wire.open(this.#pattern.duplicate(wireOptions(this.#options.answerMs ?? redisAnswerMs)), this.name);
  }
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

function nameOf(options: object): string {
  const { host = "localhost", port = 6_379, path, db, sentinels, name, tls } = options as Readonly<Record<string, unknown>>;
  const number = typeof db === "number" && db !== 0 ? `/${db}` : "";
  if (Array.isArray(sentinels)) return `redis-sentinel://${String(name)}${number}`;
  if (typeof path === "string") return `redis+unix:${path}${number}`;
  return `${isSaid(tls) && tls !== false ? "rediss" : "redis"}://${String(host)}:${String(port)}${number}`;
}
