/** A call inside the caller's transaction is stored whole or not at all. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, test } from "node:test";
import Database from "better-sqlite3";
import { Definitions } from "../../src/core/definitions.ts";
import type { Atom, Engine } from "../../src/core/engine.ts";
import { Planner } from "../../src/core/plan.ts";
import { asyncScope, syncScope, type WithinParts } from "../../src/core/within.ts";
import { broker, ErrandError, event, task } from "../../src/index.ts";
import { memory } from "../../src/memory/index.ts";
import { VirtualRuntime } from "../../src/testing/virtualRuntime.ts";

const noop = task("noop", (_input: { n: number }) => undefined);

test("within(tx) takes 500 items in a call; more are refused whole, also where the caller goes on and commits", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "errand-within-"));
  const file = path.join(folder, "app.db");
  const work = broker(`sqlite:${file}`, { noop });
  await work.open();
  const db = new Database(file);
  db.pragma("synchronous = FULL");
  const items = (count: number): ReturnType<typeof noop.with>[] => Array.from({ length: count }, (_, n) => noop.with({ n }));
  db.exec("BEGIN IMMEDIATE");
  assert.throws(
    () => work.within(db).enqueue(items(501)),
    (error) => ErrandError.is(error, "enqueue-too-many") && error.isDefinite,
  );
  db.exec("COMMIT");
  assert.equal((await work.count()).ready, 0);
  db.exec("BEGIN IMMEDIATE");
  assert.equal(work.within(db).enqueue(items(500)).length, 500);
  db.exec("COMMIT");
  assert.equal((await work.count()).ready, 500);
  db.close();
  await work.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("in a transaction of an asynchronous driver", () => {
  const happened = event<{ n: number }>("happened");
  const tx = { id: "the caller's" };

  /** The memory engine joins no transaction: here it takes one for none, and tells what it was given. */
  async function scoped(): Promise<{
    readonly parts: WithinParts;
    readonly calls: { readonly atoms: number; readonly works: number; readonly tx: unknown }[];
  }> {
    const inner = memory();
    const runtime = new VirtualRuntime();
    await inner.open({ runtime });
    const calls: { readonly atoms: number; readonly works: number; readonly tx: unknown }[] = [];
    const enqueue = (atoms: readonly Atom[], given: { readonly tx?: unknown }): ReturnType<Engine["enqueue"]> => {
      calls.push({ atoms: atoms.length, works: atoms.flatMap(({ works }) => works).length, tx: given.tx });
      return Promise.resolve(inner.enqueue(atoms, { now: runtime.now() }));
    };
    const planner = new Planner(new Definitions([{ noop, happened }]), runtime);
    return { parts: { engine: { enqueue } as unknown as Engine, runtime, planner }, calls };
  }

  test("each call is one atom in it, and answers ids", async () => {
    const { parts, calls } = await scoped();
    const scope = asyncScope(parts, tx);
    const one = await scope.enqueue(noop.with({ n: 1 }, { id: "one" }));
    const both = await scope.enqueue([noop.with({ n: 1 }, { id: "one" }), noop.with({ n: 2 }, { id: "two" })]);
    const published = await scope.publish(happened.with({ n: 1 }));
    assert.deepEqual(one, { id: "one", isDuplicate: false });
    assert.deepEqual(both, [
      { id: "one", isDuplicate: true },
      { id: "two", isDuplicate: false },
    ]);
    assert.equal(typeof published.id, "string");
    assert.deepEqual(calls, [
      { atoms: 1, works: 1, tx },
      { atoms: 1, works: 2, tx },
      { atoms: 1, works: 1, tx },
    ]);
  });

  test("what is refused is refused for certain", async () => {
    const { parts } = await scoped();
    const scope = asyncScope(parts, tx);
    await scope.enqueue(noop.with({ n: 1 }, { id: "one" }));
    await assert.rejects(scope.enqueue(noop.with({ n: 2 }, { id: "one" })), (error) => ErrandError.is(error, "id-conflict") && error.isDefinite);
  });

  test("a synchronous scope refuses an engine that answers later", async () => {
    const { parts } = await scoped();
    assert.throws(
      () => syncScope(parts, tx).enqueue(noop.with({ n: 1 })),
      (error) => ErrandError.is(error, "tx-unsupported"),
    );
  });
});
