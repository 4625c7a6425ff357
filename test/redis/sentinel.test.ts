/** A master that Sentinel replaces: errand finds whoever is master, and goes on there when the old one dies. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { Redis as Valkey } from "iovalkey";
import { broker, ErrandError, task } from "../../src/index.ts";
import { redis } from "../../src/redis/index.ts";
import { freePort } from "../postgres/privateServer.ts";
import { installation } from "./installations.ts";
import { PrivateServer } from "./privateServer.ts";
import { noServer } from "./server.ts";

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const lookEveryMs = 20;
const withinMs = 60_000;

/** One is enough where its word is. */
class Sentinel implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(port: number, folder: string, process: ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#process = process;
  }

  /** Of the master that is known as "shop". */
  static async of(master: PrivateServer): Promise<Sentinel> {
    const port = await freePort();
    const folder = mkdtempSync(path.join(tmpdir(), "errand-sentinel-"));
    const file = path.join(folder, "sentinel.conf");
    const says = [`monitor shop 127.0.0.1 ${master.port} 1`, "down-after-milliseconds shop 500", "failover-timeout shop 3000"];
    writeFileSync(file, [`port ${port}`, "bind 127.0.0.1", `dir ${folder}`, ...says.map((one) => `sentinel ${one}`)].join("\n"));
    const started = spawn(installation()?.command ?? "", [file, "--sentinel"], { stdio: "ignore" });
    return new Sentinel(port, folder, started);
  }

  /** It has heard of a replica, without which there is nobody to promote. */
  async knowsReplica(): Promise<void> {
    await using stack = new AsyncDisposableStack();
    const client = stack.adopt(new Redis(this.port, { retryStrategy: () => lookEveryMs }), (one) => one.disconnect());
    client.on("error", () => undefined);
    await until(async () => ((await client.call("sentinel", "replicas", "shop")) as unknown[]).length === 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

describe("a master behind Sentinel", { skip: noServer ?? false }, () => {
  for (const [driver, made] of [
    ["ioredis", (options: object) => new Redis(options)],
    ["iovalkey", (options: object) => new Valkey(options)],
  ] as const) {
    it(`is found by a client of ${driver}, and so is the one that takes over from it`, async () => {
      await using master = await PrivateServer.start();
      await using replica = await master.replica();
      await using sentinel = await Sentinel.of(master);
      await sentinel.knowsReplica();
      const client = made({ sentinels: [{ host: "127.0.0.1", port: sentinel.port }], name: "shop", lazyConnect: true });
      const ran: number[] = [];
      const note = task("note", ({ n }: { n: number }) => void ran.push(n));
      const work = broker({ store: redis(client), log: quiet }, { note });
      try {
        await work.enqueue(note.with({ n: 1 }, { id: "first" }));
        await replica.caughtUp(master);
        await master.kill();
        await until(() => isHandedIn(() => work.enqueue(note.with({ n: 2 }, { id: "second" }))));
        await work.start();
        await until(async () => ran.length === 2);
        assert.deepEqual(ran.toSorted(), [1, 2]);
      } finally {
        await work.close();
        client.disconnect();
      }
    });
  }
});

async function isHandedIn(call: () => Promise<unknown>): Promise<boolean> {
  try {
    await call();
    return true;
  } catch (error) {
    assert.ok(ErrandError.is(error), String(error));
    return false;
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const limit = performance.now() + withinMs;
  while (!(await holds())) {
    assert.ok(performance.now() < limit, "it did not come to that");
    await sleep(lookEveryMs);
  }
}
