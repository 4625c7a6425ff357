/** What an app's transaction handed in and cannot be taken in stops nobody: it is set aside with all that it says, and the others go on. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import pg from "pg";
import type { Engine } from "../../src/core/engine.ts";
import { postgres } from "../../src/postgres/index.ts";
import { broker } from "../../src/index.ts";
import { PinWatch } from "../../src/core/worker/pinWatch.ts";
import { examine } from "../../src/storeCare.ts";
import { VirtualRuntime } from "../../src/testing/virtualRuntime.ts";
import { job, member, Stage } from "../port/stage.ts";
import { StillRuntime } from "../port/stillRuntime.ts";
import { TransitionWatch } from "../port/transitionWatch.ts";
import { freshPlace } from "./places.ts";
import type { Place } from "./places.ts";
import { postgresMissing } from "./server.ts";

const skip = postgresMissing ?? false;

interface Staged {
  readonly stage: Stage;
  readonly place: Place;
  readonly engine: Engine;
  /** Hands in, in a transaction of the app's that commits. */
  handIn(...ids: readonly string[]): Promise<void>;
  /** What no door of errand's would let in. */
  poison(body: object): Promise<void>;
  setAside(): Promise<readonly { readonly n: string; readonly body: unknown; readonly error: string }[]>;
}

async function onStage(law: (staged: Staged) => Promise<void>): Promise<void> {
  const place = await freshPlace();
  const pool = new pg.Pool({ connectionString: place.url, max: 2 });
  const engine = postgres(pool, { schema: place.schema });
  const stage = new Stage(engine, new TransitionWatch());
  await engine.open({ runtime: new StillRuntime() });
  const sql = async <R extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<R[]> =>
    (await place.pool.query<R>(text.replaceAll("@.", `${place.schema}.`), values)).rows;
  try {
    await law({
      stage,
      place,
      engine,
      handIn: async (...ids) => {
        const client = await place.pool.connect();
        await client.query("BEGIN");
        await engine.enqueue([{ works: ids.map((id) => member(id, "park")) }], { ...stage.at, tx: client });
        await client.query("COMMIT");
        client.release();
      },
      poison: async (body) => void (await sql("INSERT INTO @.inbox (kind, body) VALUES ('atom', $1)", [body])),
      setAside: () => sql("SELECT n, body, error FROM @.set_aside ORDER BY n"),
    });
  } finally {
    await engine.close();
    await pool.end();
    await place.done();
  }
}

/** Each raises where it is taken in. */
const poisons: readonly { readonly what: string; readonly body: object }[] = [
  { what: "a number that is none", body: { works: [{ ...job("bad"), delayMs: "soon" }] } },
  { what: "a work without an id", body: { works: [{ ...job("bad"), id: null }] } },
  { what: "a list that is none", body: { works: "none" } },
  { what: "a key that no index takes", body: { works: [{ ...job("bad"), lane: { key: noise(100_000), width: 1, ifDead: "park" } }] } },
];

describe("what cannot be taken in", { skip }, () => {
  for (const { what, body } of poisons) {
    it(`is set aside, ${what}: what came before and after it goes on in order, all verbs answer, and nothing of it is lost`, async () => {
      await onStage(async ({ stage, place, engine, handIn, poison, setAside }) => {
        await handIn("a", "b");
        await poison(body);
        await handIn("c", "plain");
        await stage.tidy();
        assert.deepEqual(await stage.claimIds(), ["a"]);
        await stage.settle("a", "completed");
        assert.deepEqual(await stage.claimIds(), ["b"]);
        await stage.enqueue(member("d", "park"));
        assert.equal(
          (await engine.count(stage.at)).reduce((sum, { jobs }) => sum + jobs, 0),
          5,
        );
        const [aside, ...more] = await setAside();
        assert.deepEqual([aside?.body, more], [JSON.parse(JSON.stringify(body)), []]);
        assert.ok((aside?.error ?? "").length > 5);
        const findings = (await examine(place.url, place.schema)).findings.filter(({ about }) => about === "integrity");
        assert.equal(findings.length, 1);
        assert.match(findings[0]?.what ?? "", /^what a transaction handed in \(atom \d+\) could not be taken in, and was set aside at .* UTC: ./);
      });
    });
  }

  it("is taken in again when what was in its way is gone", async () => {
    await onStage(async ({ stage, place, handIn, setAside }) => {
      await place.pool.query(`ALTER TABLE ${place.schema}.members ADD CONSTRAINT no_more CHECK (seq < 0) NOT VALID`);
      await handIn("a");
      await stage.tidy();
      assert.equal((await setAside()).length, 1);
      assert.deepEqual(await stage.claimIds(), []);
      await place.pool.query(`ALTER TABLE ${place.schema}.members DROP CONSTRAINT no_more`);
      const [finding] = (await examine(place.url, place.schema)).findings.filter(({ about }) => about === "integrity");
      await place.pool.query(finding?.repair ?? "");
      assert.deepEqual(await setAside(), []);
      assert.deepEqual(await stage.claimIds(), ["a"]);
    });
  });

  it("is told by whoever works, each time that it grew, and counted", async () => {
    await onStage(async ({ stage, place, engine, poison }) => {
      const runtime = new VirtualRuntime();
      const watch = new PinWatch({ engine, runtime, log: runtime.log });
      const told = (): number => runtime.log.entries.filter(({ level, message }) => level === "error" && message.includes("set aside")).length;
      const counts: number[] = [];
      for (const isPoison of [false, true, false, true]) {
        if (isPoison) await poison({ works: "none" });
        await stage.tidy();
        await watch.look();
        counts.push(told());
      }
      assert.deepEqual(counts, [0, 1, 1, 2]);
      const work = broker(`${place.url}?schema=${place.schema}`);
      const metric = (await work.metrics({ of: "store" })).find(({ name }) => name === "errand_set_aside");
      await work.close();
      assert.deepEqual(metric?.samples, [{ labels: {}, value: 2 }]);
    });
  });

  it("is found among many, in parts", async () => {
    await onStage(async ({ stage, handIn, poison, setAside }) => {
      const ids = Array.from({ length: 230 }, (_, n) => `job ${String(n).padStart(3, "0")}`);
      for (const id of ids.slice(0, 115)) await handIn(id);
      await poison({ works: "none" });
      for (const id of ids.slice(115)) await handIn(id);
      await poison({ works: "none" });
      for (let pass = 0; pass < 5; pass++) await stage.tidy();
      assert.equal((await setAside()).length, 2);
      for (const id of ids) {
        assert.deepEqual(await stage.claimIds(), [id]);
        await stage.settle(id, "completed");
      }
    });
  });
});

/** What nothing compresses. */
function noise(length: number): string {
  let state = 7;
  return Array.from({ length }, () => String.fromCharCode(33 + ((state = (state * 48_271) % 2_147_483_647) % 90))).join("");
}
