/** What a part of an answer cost: its time, the commands the servers ran for it, what they wrote and moved, and their CPU apart from that of their clients. */
import { Redis } from "ioredis";
import { ownSeconds } from "../ownSeconds.ts";
import type { Meter as AnyMeter } from "../store.ts";
import type { Figures } from "../systems/system.ts";
import { serversIn } from "./cluster.ts";

interface Reading {
  readonly commands: number;
  readonly serverSeconds: number;
  readonly replicaSeconds: number;
  readonly aofBytes: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly clientSeconds: number;
}

/** Of a server, or of all nodes of a cluster. */
export class Meter implements AnyMeter {
  readonly #clients: readonly Redis[];

  private constructor(clients: readonly Redis[]) {
    this.#clients = clients;
  }

  static async on(url: string): Promise<Meter> {
    const clients = serversIn(url).map((server) => new Redis(server, { lazyConnect: true }));
    for (const client of clients) await client.connect();
    return new Meter(clients);
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
      replicaMicroseconds: ((after.replicaSeconds - before.replicaSeconds) * 1e6) / jobs,
      commands: (after.commands - before.commands) / jobs,
      aofBytes: (after.aofBytes - before.aofBytes) / jobs,
      bytesIn: (after.bytesIn - before.bytesIn) / jobs,
      bytesOut: (after.bytesOut - before.bytesOut) / jobs,
    };
  }

  /** CPU of all servers since they started. */
  async serverSeconds(): Promise<number> {
    return sumOf(await this.#infos("cpu"), secondsIn);
  }

  /** Nothing is left to do in the background. */
  settle(): Promise<void> {
    return Promise.resolve();
  }

  /** What it holds, without the memory of its connections, when nobody else is connected any more. */
  async storedBytes(): Promise<number> {
    for (const until = performance.now() + goneWithinMs; performance.now() < until && (await this.#others()) > 0;) {
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
    return sumOf(await this.#infos("memory"), (info) => numberIn(info, "used_memory") - numberIn(info, "mem_clients_normal"));
  }

  /** Connections beside this one. */
  async #others(): Promise<number> {
    return sumOf(await this.#infos("clients"), (info) => numberIn(info, "connected_clients") - 1);
  }

  /** Scripts are its steps, on the first server. */
  async watch(): Promise<void> {
    const server = this.#first;
    await server.config("SET", "latency-tracking-info-percentiles", "50 99 100");
    await server.config("SET", "slowlog-log-slower-than", slowMicroseconds);
    await server.config("SET", "slowlog-max-len", slowMax);
    await server.config("RESETSTAT");
    await server.slowlog("RESET");
  }

  /** In ms on the server, of those that took longest; the slowest is that of its SLOWLOG, where one was slow enough to be there. */
  async steps(): Promise<Figures> {
    const info = await this.#first.info("latencystats");
    const [, p50 = "", p99 = "", largest = ""] = /_usec_evalsha:p50=([\d.]+),p99=([\d.]+),p100=([\d.]+)/.exec(info) ?? [];
    const entries = (await this.#first.call("SLOWLOG", "GET", String(slowMax))) as readonly (readonly [number, number, number, readonly string[]])[];
    const slow = entries.filter(([, , , args]) => /^(eval|fcall)/i.test(args[0] ?? "")).map(([, , microseconds]) => microseconds);
    const slowest = slow.length === 0 ? Number(largest) : slow.reduce((most, one) => Math.max(most, one));
    return { scriptP50ms: Number(p50) / 1_000, scriptP99ms: Number(p99) / 1_000, slowestMs: slowest / 1_000, slow: slow.length };
  }

  async close(): Promise<void> {
    for (const client of this.#clients) await client.quit();
  }

  /** Commands, bytes and files of replicas are those of their masters again. */
  async #read(clientSeconds: number): Promise<Reading> {
    const infos = await this.#infos("everything");
    const masters = infos.filter((info) => !isReplica(info));
    return {
      commands: sumOf(masters, (info) => numberIn(info, "total_commands_processed")),
      serverSeconds: sumOf(masters, secondsIn),
      replicaSeconds: sumOf(infos.filter(isReplica), secondsIn),
      aofBytes: sumOf(masters, (info) => numberIn(info, "aof_current_size")),
      bytesIn: sumOf(masters, (info) => numberIn(info, "total_net_input_bytes")),
      bytesOut: sumOf(masters, (info) => numberIn(info, "total_net_output_bytes")),
      clientSeconds,
    };
  }

  #infos(section: string): Promise<readonly string[]> {
    return Promise.all(this.#clients.map((client) => client.info(section)));
  }

  get #first(): Redis {
    return this.#clients[0] as Redis;
  }
}

const slowMicroseconds = 1_000;
const slowMax = 10_000;
const goneWithinMs = 2_000;
const lookEveryMs = 20;

function isReplica(info: string): boolean {
  return /^role:slave/m.test(info);
}

function sumOf(infos: readonly string[], figure: (info: string) => number): number {
  return infos.reduce((sum, info) => sum + figure(info), 0);
}

function secondsIn(info: string): number {
  return numberIn(info, "used_cpu_sys") + numberIn(info, "used_cpu_user");
}

function numberIn(info: string, name: string): number {
  return Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(info)?.[1] ?? Number.NaN);
}
