/** What a part of an answer cost: its time, the commands the server ran for it, what it wrote, and the server's CPU apart from that of its clients. */
import { Redis } from "ioredis";
import { ownSeconds } from "../ownSeconds.ts";
import type { Figures } from "../systems/system.ts";

interface Reading {
  readonly commands: number;
  readonly serverSeconds: number;
  readonly aofBytes: number;
  readonly clientSeconds: number;
}

export class Meter {
  readonly #client: Redis;

  private constructor(client: Redis) {
    this.#client = client;
  }

  static async on(url: string): Promise<Meter> {
    const client = new Redis(url, { lazyConnect: true });
    await client.connect();
    return new Meter(client);
  }

  /** Per job. `clientSeconds`: CPU of the clients until now; this process, unless there are others. */
  async during(jobs: number, part: () => Promise<unknown>, clientSeconds: () => Promise<number> = ownSeconds): Promise<Figures> {
    const before = await this.#read(await clientSeconds());
    const begin = performance.now();
    await part();
    const ms = performance.now() - begin;
    const after = await this.#read(await clientSeconds());
    return {
      perSecond: jobs / (ms / 1_000),
      clientMicroseconds: ((after.clientSeconds - before.clientSeconds) * 1e6) / jobs,
      serverMicroseconds: ((after.serverSeconds - before.serverSeconds) * 1e6) / jobs,
      commands: (after.commands - before.commands) / jobs,
      aofBytes: (after.aofBytes - before.aofBytes) / jobs,
    };
  }

  /** CPU of the server since it started. */
  async serverSeconds(): Promise<number> {
    return secondsIn(await this.#info("cpu"));
  }

  /** What it holds, without the memory of its connections. */
  async memoryBytes(): Promise<number> {
    const info = await this.#info("memory");
    return numberIn(info, "used_memory") - numberIn(info, "mem_clients_normal");
  }

  /** Connections beside this one. */
  async others(): Promise<number> {
    return numberIn(await this.#info("clients"), "connected_clients") - 1;
  }

  /** From now on, `scripts` tells of what came since. */
  async watchScripts(): Promise<void> {
    await this.#client.config("SET", "latency-tracking-info-percentiles", "50 99 100");
    await this.#client.config("SET", "slowlog-log-slower-than", slowMicroseconds);
    await this.#client.config("SET", "slowlog-max-len", slowMax);
    await this.#client.config("RESETSTAT");
    await this.#client.slowlog("RESET");
  }

  /** In ms on the server, of those that took longest; the slowest is that of its SLOWLOG, where one was slow enough to be there. */
  async scripts(): Promise<Figures> {
    const info = await this.#info("latencystats");
    const [, p50 = "", p99 = "", largest = ""] = /_usec_evalsha:p50=([\d.]+),p99=([\d.]+),p100=([\d.]+)/.exec(info) ?? [];
    const entries = (await this.#client.call("SLOWLOG", "GET", String(slowMax))) as readonly (readonly [number, number, number, readonly string[]])[];
    const slow = entries.filter(([, , , args]) => /^(eval|fcall)/i.test(args[0] ?? "")).map(([, , microseconds]) => microseconds);
    const slowest = slow.length === 0 ? Number(largest) : slow.reduce((most, one) => Math.max(most, one));
    return { scriptP50ms: Number(p50) / 1_000, scriptP99ms: Number(p99) / 1_000, slowestMs: slowest / 1_000, slow: slow.length };
  }

  async close(): Promise<void> {
    await this.#client.quit();
  }

  async #read(clientSeconds: number): Promise<Reading> {
    const info = await this.#info("everything");
    return {
      commands: numberIn(info, "total_commands_processed"),
      serverSeconds: secondsIn(info),
      aofBytes: numberIn(info, "aof_current_size"),
      clientSeconds,
    };
  }

  #info(section: string): Promise<string> {
    return this.#client.info(section);
  }
}

const slowMicroseconds = 1_000;
const slowMax = 10_000;

function secondsIn(info: string): number {
  return numberIn(info, "used_cpu_sys") + numberIn(info, "used_cpu_user");
}

function numberIn(info: string, name: string): number {
  return Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(info)?.[1] ?? Number.NaN);
}
