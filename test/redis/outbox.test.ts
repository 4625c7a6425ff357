/** What an app's transaction hands in by an outbox is stored once, in order, whatever fails in between; what it rolls back never is. */
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { describe, it } from "node:test";
import type { Outbox } from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import type { Transaction } from "../../src/core/scope.ts";
import { broker, task } from "../../src/index.ts";
import { memory } from "../../src/memory/index.ts";
import { postgres } from "../../src/postgres/index.ts";
import { redis } from "../../src/redis/index.ts";
import { freshPlace as freshSchema } from "../postgres/places.ts";
import { postgresMissing } from "../postgres/server.ts";
import { event, job, leaseMs, member } from "../port/stage.ts";
import { emptied, handIn, idsIn, lending, openedWith, sceneOn, stored, until } from "./outboxScene.ts";
import type { Kind } from "./outboxScene.ts";
import { freshPlace } from "./places.ts";
import { PrivateServer } from "./privateServer.ts";
import { noServer, redisMissing } from "./server.ts";
import type { Open } from "./stage.ts";
import { opened } from "./stage.ts";

const kinds: readonly { readonly kind: Kind; readonly skip: string | false; readonly joins: "sync" | "async" }[] = [
  { kind: "postgres", skip: redisMissing ?? postgresMissing ?? false, joins: "async" },
  { kind: "sqlite", skip: redisMissing ?? false, joins: "sync" },
];
/** Nothing is remembered of an ended job. */
const gone = { completed: 0, skipped: 0, cancelled: 0, dead: 0 };

for (const { kind, skip, joins } of kinds) {
  describe(`an outbox on ${kind}`, { skip }, () => {
    it("hands over what a transaction committed, soon, and nothing of what was rolled back", async () => {
      await using scene = await sceneOn(kind);
      const open = await scene.open();
      const rolledBack = scene.app.transaction(async (tx) => {
        await open.engine.enqueue([{ works: [job("never")] }], { tx });
        throw new Error("no");
      });
      await assert.rejects(rolledBack, /no/);
      const answers = await scene.app.transaction(async (tx) => {
        assert.equal(open.engine.joins(tx), joins);
        const told = open.engine.enqueue([{ works: [job("a"), event("e")] }], { tx });
        assert.equal(told instanceof Promise, joins === "async");
        return told;
      });
      assert.deepEqual(answers, [
        [
          { id: "a", isDuplicate: false },
          { id: "e", isDuplicate: false },
        ],
      ]);
      await emptied(scene);
      assert.deepEqual(await idsIn(open), ["a"]);
      assert.equal((await open.engine.find({ of: "events", limit: 10 }, {})).rows.length, 1);
      assert.equal(await open.engine.outboxLagMs?.({}), 0);
    });

    it("tells by the broker what it is: weaker guarantees, the lag, and that no job is completed in a transaction", async () => {
      await using scene = await sceneOn(kind);
      const { engine } = await scene.open(lending(scene.app.lender(), () => ({ take: () => undefined })));
      const mail = task("mail", () => undefined);
      const work = broker(engine, { mail });
      await work.open();
      const { id } = await scene.app.transaction(async (tx, sql) => {
        const told = await work.within(tx as Transaction).enqueue(mail.with({}));
        await sql(kind === "postgres" ? "UPDATE @.outbox SET at = at - interval '90 s'" : "UPDATE @.outbox SET at = -90000");
        return told as { readonly id: string };
      });
      assert.match(id, /^\w+$/);
      const lag = (await work.metrics({ of: "store" })).find(({ name }) => name === "errand_outbox_lag_seconds")?.samples[0]?.value ?? 0;
      assert.ok(lag >= 90 && lag < 150, `the lag is ${lag}`);
      assert.match((await work.guarantees()).weaker["G6"] ?? "", /moved on/);
      await scene.app.transaction(async (tx) => {
        assert.throws(
          () => engine.settle([], { tx }),
          (error) => ErrandError.is(error, "tx-unsupported") && /joins a transaction/.test(error.message),
        );
      });
      await work.close();
    });

    it("takes the time until it was moved on off a delay", async () => {
      await using scene = await sceneOn(kind);
      const open = await scene.open();
      await scene.app.transaction(async (tx, sql) => {
        await open.engine.enqueue([{ works: [job("delayed", { delayMs: 60_000 }), job("late", { startWithinMs: 10_000 })] }], { tx });
        await sql(kind === "postgres" ? "UPDATE @.outbox SET at = at - interval '45 s'" : "UPDATE @.outbox SET at = at - 45000");
      });
      await emptied(scene);
      const [delayed, late] = await stored(open);
      const inMs = (delayed?.dueAt ?? 0) - (delayed?.enqueuedAt ?? 0);
      assert.ok(inMs <= 15_000 && inMs > 5_000, `it is due in ${inMs} ms`);
      assert.ok((late?.startBy ?? Infinity) < (late?.enqueuedAt ?? 0), "it is too late to start");
    });

    it("keeps order by key among what many processes hand in and move on at once: what comes after a commit returned never overtakes", async () => {
      await using scene = await sceneOn(kind);
      const opens = [await scene.open(), await scene.open(), await scene.open()];
      const inKey = 60;
      const keys = Array.from({ length: 6 }, async (_, key) => {
        for (let nth = 0; nth < inKey; nth += 1) {
          const one = member(`${key}/${String(nth).padStart(3, "0")}`, "block", { lane: { key: `k${key}`, width: 1, ifDead: "block" } });
          await handIn(scene, opens[(key + nth) % opens.length] as Open, { works: [one] });
        }
      });
      await Promise.all(keys);
      await emptied(scene);
      const ids = await idsIn(opens[0] as Open);
      assert.equal(ids.length, 6 * inKey);
      for (let key = 0; key < 6; key += 1) {
        const own = ids.filter((id) => id.startsWith(`${key}/`));
        assert.deepEqual(own, own.toSorted());
      }
    });

    it("moves 10,000 rows on", async () => {
      await using scene = await sceneOn(kind);
      const open = await scene.open();
      for (let from = 0; from < 10_000; from += 500) {
        await handIn(scene, open, ...Array.from({ length: 500 }, (_, index) => ({ works: [job(`${from + index}`)] })));
      }
      await emptied(scene);
      assert.deepEqual(
        (await open.engine.count({})).map(({ jobs }) => jobs),
        [10_000],
      );
    });

    it("sets aside what can never be stored, with what was said, tells and counts it, and moves on all else", async () => {
      await using scene = await sceneOn(kind);
      const open = await scene.open();
      await open.engine.enqueue([{ works: [job("known", { rememberMs: 60_000 })] }], {});
      await scene.app.transaction(async (tx, sql) => {
        await open.engine.enqueue([{ works: [job("a")] }, { works: [job("known", { content: "other" }), job("with it")] }], { tx });
        const poison = (body: string): Promise<unknown> =>
          sql(`INSERT INTO @.outbox (works, body, at) VALUES (1, '${body}', ${kind === "postgres" ? "now()" : "0"})`);
        await poison("no JSON");
        await poison('{"works":[{"kind":"job","id":"without all else"}]}');
        await open.engine.enqueue([{ works: [job("b")] }], { tx });
      });
      await emptied(scene);
      assert.deepEqual(await idsIn(open), ["known", "a", "b"]);
      const aside = await scene.app.rows("SELECT body, error FROM @.outbox_set_aside ORDER BY n");
      assert.equal(aside.length, 3);
      assert.match(String(aside[0]?.["error"]), /^id-conflict: /);
      assert.match(String(aside[0]?.["body"]), /with it/);
      assert.match(String(aside[1]?.["error"]), /no JSON/);
      assert.match(String(aside[2]?.["error"]), /^store-failed: /);
      assert.equal(await open.engine.setAside?.(), 3);
      assert.equal(open.runtime.of("error").filter((message) => /set aside/.test(message)).length, 1);
    });

    it("is made once by all who open it together, beside the app's tables, and refuses another store's rows", async () => {
      await using scene = await sceneOn(kind);
      const opens = await Promise.all(Array.from({ length: 4 }, () => scene.open()));
      await handIn(scene, opens[3] as Open, { works: [job("a")] });
      await emptied(scene);
      assert.deepEqual(await idsIn(opens[0] as Open), ["a"]);
      await assert.rejects(
        openedWith(scene.app.lender(), { url: scene.url, prefix: `${scene.prefix}x` }),
        (error) => ErrandError.is(error, "store-foreign") && /astray/.test(error.message),
      );
    });

    it("lets errand's own tables be made beside it later, where the doctor leaves it alone", async () => {
      await using scene = await sceneOn(kind);
      const open = await scene.open();
      const lender = scene.app.lender();
      await lender.open({ runtime: open.runtime });
      await lender.enqueue([{ works: [job("own")] }], {});
      await lender.close();
      assert.deepEqual(await scene.app.complaints(), []);
      await using again = await openedWith(scene.app.lender(), scene);
      await handIn(scene, again, { works: [job("a")] });
      await emptied(scene);
      assert.deepEqual(await idsIn(open), ["a"]);
    });

    it("stores nothing for a relay whose lease was over long ago, also when nothing is remembered of what it would repeat", async () => {
      await using scene = await sceneOn(kind);
      const { promise: released, resolve: release } = Promise.withResolvers<void>();
      let isTaken = false;
      const slow = await scene.open(
        lending(scene.app.lender(), ({ take }) => ({
          async take(this: Outbox, ...asked: Parameters<Outbox["take"]>) {
            const batch = await take.apply(this, asked);
            if (batch === undefined) return batch;
            isTaken = true;
            await released;
            return batch;
          },
        })),
      );
      try {
        await handIn(scene, slow, { works: [job("a", { keep: gone })] });
        await until(() => isTaken, "nothing is taken");
        await scene.app.endLease();
        const other = await scene.open();
        await emptied(scene);
        await handIn(scene, other, { works: [job("b", { keep: gone })] });
        await emptied(scene);
        assert.deepEqual(await runAll(other), ["a", "b"]);
        release();
        await slow[Symbol.asyncDispose]();
        assert.deepEqual(await idsIn(other), []);
      } finally {
        release();
      }
    });

    it("goes on after the database went back in time, or another's fence was higher", async () => {
      await using scene = await sceneOn(kind);
      const open = await scene.open();
      await scene.app.rows("UPDATE @.outbox_relay SET fence = 1000000");
      for (const id of ["a", "b", "c"]) {
        await handIn(scene, open, { works: [job(id)] });
        await emptied(scene);
      }
      await scene.app.rows("UPDATE @.outbox_relay SET fence = 0");
      await handIn(scene, open, { works: [job("d")] });
      await emptied(scene);
      assert.deepEqual(await idsIn(open), ["a", "b", "c", "d"]);
    });

    it("keeps its rows while Redis is away, and moves them on when it is back", { skip: noServer ?? false }, async () => {
      await using server = await PrivateServer.start({ settings: { appendonly: "yes", appendfsync: "always" } });
      await using scene = await sceneOn(kind, server.url);
      const open = await scene.open();
      await handIn(scene, open, { works: [job("before")] });
      await emptied(scene);
      await server.kill();
      for (const id of ["a", "b", "c"]) await handIn(scene, open, { works: [job(id)] });
      await until(() => open.runtime.of("warn").some((message) => /waits in the outbox/.test(message)), "it is not told that Redis is away");
      assert.equal((await scene.app.rows("SELECT * FROM @.outbox")).length, 3);
      await server.start();
      await emptied(scene);
      assert.deepEqual(await idsIn(open), ["before", "a", "b", "c"]);
      assert.equal(open.runtime.of("info").filter((message) => /moved on again/.test(message)).length, 1);
    });

    it("moves on at its close what its process has just committed", async () => {
      await using scene = await sceneOn(kind);
      const open = await scene.open();
      await using other = await opened(scene.url, { prefix: scene.prefix });
      await handIn(scene, open, { works: [job("a")] });
      await open[Symbol.asyncDispose]();
      assert.deepEqual(await idsIn(other), ["a"]);
    });
  });
}

describe("a process that is killed after its commit", { skip: redisMissing ?? postgresMissing ?? false }, () => {
  for (const when of ["before-move", "before-done"] as const) {
    it(`${when === "before-move" ? "before its relay stored anything" : "when its relay had stored it, but not taken it away"}: all of it arrives once`, async () => {
      const [place, schema] = [await freshPlace(), await freshSchema()];
      const child = fork(new URL("./outboxMain.ts", import.meta.url), [schema.url, schema.schema, place.url, place.prefix, when]);
      const [, signal] = (await once(child, "exit")) as [number | null, string | null];
      assert.equal(signal, "SIGKILL");
      await using plain = await opened(place.url, { prefix: place.prefix });
      const before = when === "before-done" ? await runAll(plain) : [];
      assert.deepEqual(before, when === "before-done" ? ["a", "b"] : []);
      await schema.pool.query(`UPDATE ${schema.schema}.outbox_relay SET lease_until = '2000-01-01'`);
      await using open = await openedWith(postgres(schema.pool, { schema: schema.schema }), place);
      await until(async () => (await schema.pool.query(`SELECT 1 FROM ${schema.schema}.outbox`)).rows.length === 0, "the outbox is not empty");
      assert.deepEqual([...before, ...(await runAll(open))], ["a", "b"]);
      await open[Symbol.asyncDispose]();
      await place.done();
      await schema.pool.query(`DROP SCHEMA ${schema.schema} CASCADE`);
      await schema.done();
    });
  }
});

describe("an engine without tables to lend", () => {
  it("is refused as an outbox", () => {
    assert.throws(
      () => redis("redis://127.0.0.1:6379", { outbox: memory() }),
      (error) => ErrandError.is(error, "option-invalid") && /postgres\(pool\)/.test(error.message),
    );
  });
});

/** Runs what is ready, until nothing is remembered of it. Answers the ids. */
async function runAll({ engine }: Open): Promise<readonly string[]> {
  const claim = { process: "p", leaseMs, lastFence: 0, tasks: ["send"], alone: "no", settling: [] } as const;
  const { jobs, fence } = await engine.claim({ ...claim, claim: "c", queues: [{ queue: "mail", slots: 10, ahead: 0 }] }, {});
  await engine.settle(
    jobs.map(({ id }) => ({ id, claim: "c", fence, is: "completed", ranMs: 1 })),
    {},
  );
  await until(async () => {
    await engine.tidy({ items: 1_000, mayExpire: false }, {});
    return (await engine.find({ of: "jobs", ids: jobs.map(({ id }) => id) }, {})).rows.length === 0;
  }, "ended jobs are still remembered");
  return jobs.map(({ id }) => id);
}
