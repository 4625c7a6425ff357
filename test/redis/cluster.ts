/** A Redis Cluster of a test's own: three masters and a replica of each, all real, on this machine; its slots are moved and its nodes killed as a test likes. */
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../postgres/privateServer.ts";
import { PrivateServer } from "./privateServer.ts";
import type { Settings } from "./privateServer.ts";

const slots = 16_384;
const mastersCount = 3;
const lookEveryMs = 5;
/** An election takes a second or two, and longer on a machine that does much else. */
const readyWithinMs = 60_000;
/** They hear of each other the faster, the sooner they give each other up; on a busy machine they would do that for no reason. */
const joiningMs = 500;
const longMs = 15_000;
/** The nodes talk to each other on another port, so much higher. */
const busOffset = 10_000;

export interface Shard {
  readonly master: PrivateServer;
  readonly replica: PrivateServer;
}

export class TestCluster implements AsyncDisposable {
  readonly #shards: Shard[];

  private constructor(shards: readonly Shard[]) {
    this.#shards = [...shards];
  }

  get shards(): readonly Shard[] {
    return this.#shards;
  }

  /** `nodeTimeoutMs`: after so long without an answer a node is taken for dead. */
  static async start(settings: Settings = {}, nodeTimeoutMs: number = longMs, isTls: boolean = false): Promise<TestCluster> {
    const own: Settings = {
      "cluster-enabled": "yes",
      "cluster-node-timeout": joiningMs,
      "cluster-replica-validity-factor": 0,
      ...(isTls && { "tls-cluster": "yes" }),
      ...settings,
    };
    const servers = await Promise.all(Array.from({ length: 2 * mastersCount }, () => PrivateServer.start({ settings: own, isTls, port: clusterPort })));
    const shards = Array.from({ length: mastersCount }, (_, n) => ({ master: servers[n], replica: servers[n + mastersCount] }) as Shard);
    const cluster = new TestCluster(shards);
    await cluster.#join();
    for (const server of servers) await server.ask("config", "set", "cluster-node-timeout", String(nodeTimeoutMs));
    return cluster;
  }

  get nodes(): readonly PrivateServer[] {
    return this.shards.flatMap(({ master, replica }) => [master, replica]);
  }

  /** Begins at any of them. */
  get url(): string {
    const { protocol } = new URL(this.#first.url);
    return `${protocol.replace(":", "+cluster:")}//${this.nodes.map(({ port }) => `127.0.0.1:${port}`).join(",")}`;
  }

  /** The shard that was made with the slot of this key. */
  async shardOf(key: string): Promise<Shard> {
    return this.#at(await this.slotOf(key));
  }

  async slotOf(key: string): Promise<number> {
    return Number(await this.#first.ask("cluster", "keyslot", key));
  }

  /** A slot is on its way from one to the other; nothing of it has been sent yet. */
  async beginMove(slot: number, from: PrivateServer, to: PrivateServer): Promise<void> {
    await to.ask("cluster", "setslot", String(slot), "importing", await idOf(from));
    await from.ask("cluster", "setslot", String(slot), "migrating", await idOf(to));
  }

  /** So many of its keys are sent. Answers how many there were. */
  async moveKeys(slot: number, from: PrivateServer, to: PrivateServer, limit: number): Promise<number> {
    const keys = (await from.ask("cluster", "getkeysinslot", String(slot), String(limit))) as string[];
    if (keys.length > 0) await from.ask("migrate", "127.0.0.1", String(to.port), "", "0", "5000", "keys", ...keys);
    return keys.length;
  }

  /** All of it is there, and all nodes are told. */
  async endMove(slot: number, from: PrivateServer, to: PrivateServer): Promise<void> {
    while ((await this.moveKeys(slot, from, to, 100)) > 0);
    const id = await idOf(to);
    const masters = this.shards.map(({ master }) => master).filter((master) => master.isRunning);
    for (const server of new Set([to, from, ...masters])) await server.ask("cluster", "setslot", String(slot), "node", id);
  }

  /** The replica has what its master has written until now. */
  async caughtUp({ master, replica }: Shard): Promise<void> {
    await replica.caughtUp(master);
  }

  /** As a crash does, in the midst of what it does. Its replica is to take over. */
  async killMaster(shard: Shard): Promise<void> {
    await shard.master.kill();
    this.#shards[this.#shards.indexOf(shard)] = { master: shard.replica, replica: shard.master };
  }

  /** Those that were killed follow those that took over from them. */
  async revive(): Promise<void> {
    for (const { replica } of this.#shards) {
      if (replica.isRunning) continue;
      await replica.start();
      await until(async () => String(await replica.ask("info", "replication")).includes("master_link_status:up"), "the old master does not follow");
    }
  }

  /** Resolves when this node serves the slot of the key, and since when it may have: the time before it was last asked in vain. */
  async served(server: PrivateServer, key: string): Promise<number> {
    let since = performance.now();
    await until(async () => {
      const asked = performance.now();
      const is = await server.ask("get", key).then(
        () => true,
        () => false,
      );
      if (!is) since = asked;
      return is;
    }, "the slot is served by nobody");
    return since;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((server) => server.stop()));
  }

  get #first(): PrivateServer {
    const running = this.nodes.find((server) => server.isRunning);
    if (running === undefined) throw new Error("no node runs");
    return running;
  }

  #at(slot: number): Shard {
    const shard = this.shards[Math.floor((slot * mastersCount) / slots)];
    if (shard === undefined) throw new Error(`no slot ${slot}`);
    return shard;
  }

  async #join(): Promise<void> {
    const all = Array.from({ length: slots }, (_, slot) => slot);
    await Promise.all(
      this.shards.map(async ({ master }, nth) => {
        await master.ask("cluster", "addslots", ...all.filter((slot) => this.#at(slot).master === master).map(String));
        await master.ask("cluster", "set-config-epoch", String(nth + 1));
      }),
    );
    for (const server of this.nodes) if (server !== this.#first) await server.ask("cluster", "meet", "127.0.0.1", String(this.#first.port));
    await this.#all("cluster_known_nodes:6");
    await Promise.all(this.shards.map(async ({ master, replica }) => replica.ask("cluster", "replicate", await idOf(master))));
    await this.#all("cluster_state:ok");
    await Promise.all(
      this.shards.map(({ replica }) =>
        until(async () => String(await replica.ask("info", "replication")).includes("master_link_status:up"), "a replica does not follow"),
      ),
    );
    // Before all know of all replicas, no fail-over is sure.
    await Promise.all(
      this.nodes.map((server) => until(async () => replicasIn(await server.ask("cluster", "nodes")) === mastersCount, "a replica is not known")),
    );
  }

  async #all(says: string): Promise<void> {
    await Promise.all(this.nodes.map((server) => until(async () => String(await server.ask("cluster", "info")).includes(says), `not all nodes say ${says}`)));
  }
}

async function idOf(server: PrivateServer): Promise<string> {
  return String(await server.ask("cluster", "myid"));
}

function replicasIn(nodes: unknown): number {
  return Array.from(String(nodes).matchAll(/\bslave\b/g)).length;
}

async function until(holds: () => Promise<boolean>, otherwise: string): Promise<void> {
  const limit = performance.now() + readyWithinMs;
  while (!(await holds())) {
    if (performance.now() > limit) throw new Error(otherwise);
    await sleep(lookEveryMs);
  }
}

export async function clusterPort(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (port + busOffset < 65_536 && (await isFree(port + busOffset))) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  probe.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true));
  const is = await promise;
  await new Promise((closed) => probe.close(closed));
  return is;
}
