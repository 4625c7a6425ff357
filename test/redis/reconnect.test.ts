/** However long the server was gone, workers claim again within two seconds of its return; a connection that is there but cannot be used is no contact. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { inRoot } from "../../scripts/root.ts";
import { World } from "../../src/conformance/index.ts";
import { task } from "../../src/index.ts";
import { redis } from "../../src/redis/index.ts";
import { brief } from "../crash/definitions.ts";
import { Fleet, now } from "../crash/fleet.ts";
import { PrivateServer } from "./privateServer.ts";
import { noServer } from "./server.ts";
import { opened } from "./stage.ts";

const backWithinMs = 2_000;
const work = task<{ n: number }>("work", () => undefined);

describe("a worker claims again within 2 s of the server's return", { skip: noServer ?? false }, () => {
  for (const away of ["1s", "1m", "10m"] as const) {
    it(`after ${away} by a virtual clock`, async (context) => {
      await using server = await PrivateServer.start();
      const world = await World.open({ name: "redis", open: () => ({ engine: () => redis(server.url), dispose: () => undefined }) });
      try {
        await world.worker({ work });
        const app = world.process({ work });
        await app.broker.enqueue(work.with({ n: 1 }));
        await world.until("it ran", () => world.runs.length === 1, "2s");
        await server.kill();
        await world.advance(away);
        await server.start();
        const from = world.now;
        await world.until(
          "the app is answered",
          () =>
            app.broker.enqueue(work.with({ n: 2 })).then(
              () => true,
              () => false,
            ),
          "2s",
        );
        await world.until("it ran", () => world.runs.length === 2, "5s");
        const backMs = world.now - from;
        context.diagnostic(`${backMs} ms after the return`);
        assert.ok(backMs <= backWithinMs, `${backMs} ms`);
      } finally {
        await world.dispose();
      }
    });
  }

  it("in real processes and real time, while work is handed in", async (context) => {
    await using server = await PrivateServer.start({ settings: { appendonly: "yes", appendfsync: "always" } });
    await using fleet = new Fleet({ url: server.url, dispose: () => undefined });
    await fleet.work.open();
    await fleet.worker({ hands: 5 });
    await fleet.worker({ hands: 5 });
    const returns: number[] = [];
    let n = 0;
    for (const awayMs of [50, 1_000, 5_000]) {
      for (let more = 0; more < 20; more += 1) await handedIn(() => fleet.work.enqueue(brief.with({ n: n++, ms: 5 })));
      await fleet.until("work is done", () => fleet.lines().filter(({ is }) => is === "end").length >= n, 20);
      await server.kill();
      await sleep(awayMs);
      await server.start();
      const up = now();
      await handedIn(() => fleet.work.enqueue(brief.with({ n: n++, ms: 5 })));
      await fleet.until("a worker has claimed", () => fleet.lines().some(({ is, at }) => is === "start" && at > up), 10);
      returns.push((fleet.lines().find(({ is, at }) => is === "start" && at > up)?.at ?? 0) - up);
    }
    context.diagnostic(`first start after the return: ${returns.join(", ")} ms`);
    assert.ok(Math.max(...returns) <= backWithinMs, returns.join(", "));
  });
});

describe("a process", { skip: noServer ?? false }, () => {
  it("has a constant number of connections, however much it asks at once and however often the server was gone", async () => {
    await using server = await PrivateServer.start();
    await using open = await opened(server.url);
    const unlisten = await open.engine.listen(() => undefined);
    const warnings: string[] = [];
    const heard = ({ message }: Error): void => void warnings.push(message);
    process.on("warning", heard);
    for (let round = 0; round < 3; round += 1) {
      await Promise.allSettled(Array.from({ length: 200 }, async () => open.engine.count({})));
      while (open.engine.isHearing !== true) await sleep(5);
      assert.equal(await clientsOf(server), 2);
      await server.kill();
      await Promise.allSettled(Array.from({ length: 200 }, async () => open.engine.count({})));
      await server.start();
    }
    unlisten();
    process.off("warning", heard);
    assert.deepEqual(warnings, []);
  });
});

it("a process that has opened a store and has nothing else to do ends by itself", { skip: noServer ?? false }, async () => {
  await using server = await PrivateServer.start();
  const program = `
    import { broker, task } from ${JSON.stringify(inRoot("src/index.ts"))};
    const noop = task("noop", () => undefined);
    console.log((await broker(${JSON.stringify(server.url)}, { noop }).enqueue(noop.with({}))).id);`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", program], {
    timeout: 20_000,
  });
  assert.match(stdout, /[0-9a-f]{32}/);
});

async function clientsOf(server: PrivateServer): Promise<number> {
  return String(await server.ask("client", "list"))
    .split("\n")
    .filter((line) => line.includes("name=errand")).length;
}

async function handedIn(call: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await call();
      return;
    } catch {
      await sleep(10);
    }
  }
}
