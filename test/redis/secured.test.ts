/** Servers that are reached by TLS and ask for a password, alone and as a Cluster: every connection that errand makes is let in, by a client or by a URL, and nobody else is. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { Cluster, Redis } from "ioredis";
import { Cluster as ValkeyCluster, Redis as Valkey } from "iovalkey";
import { inRoot } from "../../scripts/root.ts";
import { broker, ErrandError, task } from "../../src/index.ts";
import { redis } from "../../src/redis/index.ts";
import type { RedisOptions } from "../../src/redis/index.ts";
import { TestCluster } from "./cluster.ts";
import { certificateFile, PrivateServer } from "./privateServer.ts";
import { noServer } from "./server.ts";

const password = "s3cret:/@";
const settings = { requirepass: password, masterauth: password };
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

type Client = Parameters<typeof redis>[0] & { disconnect(): void };

interface Secured {
  readonly name: string;
  readonly nodes: () => readonly PrivateServer[];
  readonly url: () => string;
  readonly clients: Readonly<Record<string, (secrets: PrivateServer["secrets"]) => Client>>;
  readonly options: RedisOptions;
}

let server: PrivateServer;
let cluster: TestCluster;

const seeds = (): { readonly host: string; readonly port: number }[] => cluster.nodes.map(({ port }) => ({ host: "127.0.0.1", port }));
const secured: readonly Secured[] = [
  {
    name: "one server",
    nodes: () => [server],
    url: () => server.url,
    clients: {
      ioredis: (secrets) => new Redis({ port: server.port, lazyConnect: true, ...secrets }),
      iovalkey: (secrets) => new Valkey({ port: server.port, lazyConnect: true, ...secrets }),
    },
    options: {},
  },
  {
    name: "a Cluster",
    nodes: () => cluster.shards.map(({ master }) => master),
    url: () => cluster.url,
    clients: {
      ioredis: (secrets) => new Cluster(seeds(), { lazyConnect: true, redisOptions: secrets }),
      iovalkey: (secrets) => new ValkeyCluster(seeds(), { lazyConnect: true, redisOptions: secrets }),
    },
    options: { partitions: 3 },
  },
];

describe("by TLS and with a password", { skip: noServer ?? false }, () => {
  before(async () => {
    server = await PrivateServer.start({ settings, isTls: true });
    cluster = await TestCluster.start(settings, undefined, true);
  });
  after(async () => {
    await server?.stop();
    await cluster?.[Symbol.asyncDispose]();
  });

  for (const { name, nodes, url, clients, options } of secured) {
    for (const [driver, client] of Object.entries(clients)) {
      it(`${name} is worked on through a client of ${driver}, with all its connections`, async () => {
        const given = client(firstOf(nodes()).secrets);
        const prefix = `${driver}-works`;
        const { promise, resolve } = Promise.withResolvers<number>();
        const add = task("add", ({ n }: { n: number }) => resolve(n + 1));
        const work = broker({ store: redis(given, { ...options, prefix }), log: quiet }, { add });
        try {
          await work.start();
          await work.enqueue(add.with({ n: 1 }));
          assert.equal(await promise, 2);
          assert.equal((await work.guarantees()).beatsFromThread, true);
          const connections = (await Promise.all(nodes().map((node) => node.ask("client", "list")))).join("\n");
          assert.match(connections, /name=errand/);
        } finally {
          await work.close();
          given.disconnect();
        }
      });

      it(`${name} lets nobody in through a client of ${driver} with another password, or that does not know its certificate`, async () => {
        const { tls, password: right } = firstOf(nodes()).secrets;
        assert.ok(tls !== undefined && right !== undefined);
        await refused(client({ tls, password: "wrong" }), options, /WRONGPASS|password/i);
        await refused(client({ password: right, tls: { ca: "" } }), options, /certificate/i);
      });
    }

    it(`${name} is worked on by its URL, where Node.js is told of the certificate`, async () => {
      const program = `
        import { broker, task } from ${JSON.stringify(inRoot("src/index.ts"))};
        const { promise, resolve } = Promise.withResolvers();
        const add = task("add", ({ n }) => resolve(n + 1));
        const work = broker(process.argv[1], { add });
        await work.start();
        await work.enqueue(add.with({ n: 1 }));
        console.log("added", await promise, (await work.guarantees()).beatsFromThread);
        await work.close();`;
      const given = url().replace("//", `//:${encodeURIComponent(password)}@`);
      const args = ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", program, `${given}?prefix=url`];
      const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000, env: { ...process.env, NODE_EXTRA_CA_CERTS: certificateFile } });
      assert.match(stdout, /added 2 true/);
    });
  }

  it("a Cluster's fail-over is followed", async () => {
    const given = new Cluster(seeds(), { lazyConnect: true, redisOptions: firstOf(cluster.nodes).secrets });
    const noop = task("noop", () => undefined);
    const work = broker({ store: redis(given, { prefix: "over" }), log: quiet }, { noop });
    await work.enqueue(noop.with({}));
    const shard = await cluster.shardOf("{over:0}");
    await cluster.caughtUp(shard);
    await shard.replica.ask("cluster", "failover", "force");
    await cluster.served(shard.replica, "{over:0}");
    assert.equal((await work.count()).ready, 1);
    await work.close();
    given.disconnect();
  });
});

function firstOf(nodes: readonly PrivateServer[]): PrivateServer {
  const [first] = nodes;
  assert.ok(first);
  return first;
}

async function refused(client: Client, options: RedisOptions, says: RegExp): Promise<void> {
  const work = broker({ store: redis(client, { ...options, prefix: "refused" }), log: quiet });
  await assert.rejects(work.count(), (error) => {
    assert.ok(ErrandError.is(error) && error.isDefinite, String(error));
    assert.match(error.message, says);
    return true;
  });
  await work.close();
  client.disconnect();
}
