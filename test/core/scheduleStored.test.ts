/** Schedules as they are stored: what one enqueues at a slot, and how a change is written where others write too. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import { taskOf, type Rule, type StoredSchedule } from "../../src/core/schedule/rule.ts";
import { changeSchedule, notesWith, readSchedule } from "../../src/core/schedule/stored.ts";
import { every, task } from "../../src/index.ts";
import { memory } from "../../src/memory/index.ts";
import { testBroker } from "../../src/testing/index.ts";
import { VirtualRuntime } from "../../src/testing/virtualRuntime.ts";

const prune = task("prune", () => undefined);

/** A schedule in a store whose `enqueue` answers, while `refusal` does, what that says. */
class Stage implements AsyncDisposable {
  readonly runtime: VirtualRuntime = new VirtualRuntime();
  readonly #inner: Engine = memory();
  readonly #broker = testBroker.with({ engine: this.#inner }, { pruning: every("1h", prune.with({})) });
  readonly engine: Engine;
  asked = 0;

  constructor(refusal: () => ErrandError | undefined) {
    const enqueue: Engine["enqueue"] = (atoms, at) => {
      this.asked++;
      const refused = refusal();
      return refused === undefined ? this.#inner.enqueue(atoms, at) : (atoms.map(() => refused) as never);
    };
    this.engine = new Proxy(this.#inner, {
      get: (target, name) => {
        const member: unknown = name === "enqueue" ? enqueue : Reflect.get(target, name, target);
        return typeof member === "function" ? (member.bind(target) as unknown) : member;
      },
    });
  }

  async open(): Promise<void> {
    await this.#broker.open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#broker[Symbol.asyncDispose]();
  }
}

const paused = (read: { readonly stored: StoredSchedule } | undefined): { readonly stored: StoredSchedule } | undefined =>
  read && { stored: { ...read.stored, cursor: 7 } };

for (const [code, tries] of [
  ["note-conflict", 10],
  ["store-busy", 1],
] as const)
  test(`a change to a schedule that is always refused as ${code} is tried ${tries} times`, async () => {
    const refusal = new ErrandError(code, "as the test wants it; wait");
    await using stage = new Stage(() => refusal);
    await stage.open();
    await assert.rejects(changeSchedule(stage, "prune", paused), (error) => error === refusal);
    assert.equal(stage.asked, tries);
  });

test("a change to a schedule is made anew on what another one wrote meanwhile", async () => {
  let [left, looks] = [3, 0];
  await using stage = new Stage(() => (left-- > 0 ? new ErrandError("note-conflict", "as the test wants it; wait") : undefined));
  await stage.open();
  const answer = await changeSchedule(stage, "prune", (read) => (looks++, paused(read)));
  assert.deepEqual([looks, answer?.cursor, (await readSchedule(stage, "prune"))?.stored.cursor], [4, 7, 7]);
});

test("a change that is none writes nothing, and answers what stands", async () => {
  await using stage = new Stage(() => undefined);
  await stage.open();
  assert.equal((await changeSchedule(stage, "prune", () => undefined))?.name, "prune");
  assert.equal(await changeSchedule(stage, "unknown", () => undefined), undefined);
  assert.equal(stage.asked, 0);
});

test("what a schedule enqueues is called by its task, or by the name of its batch or event", () => {
  const named = (work: unknown): string => taskOf({ work } as Rule);
  assert.equal(named({ job: { task: "prune" } }), "prune");
  assert.equal(
    named({
      works: [
        { kind: "join", name: "month" },
        { kind: "job", task: "prune" },
      ],
    }),
    "month",
  );
  assert.equal(named({ works: [{ kind: "event", name: "happened" }] }), "happened");
  assert.equal(named({ works: [{ kind: "job", task: "prune", name: "not this" }] }), "prune");
  assert.equal(named({ works: [] }), "");
});

test("notes are read page by page, at most twenty of them", async () => {
  for (const [pages, read] of [
    [3, 3],
    [40, 20],
  ] as const) {
    const asked: unknown[] = [];
    const find = ({ after }: { readonly after?: string }): unknown => {
      asked.push(after);
      const key = String(asked.length);
      return Promise.resolve({ rows: [{ key }], ...(asked.length < pages && { next: key }), now: asked.length });
    };
    const { notes, now } = await notesWith({ engine: { find } as unknown as Engine, runtime: new VirtualRuntime() }, "schedule/");
    const keys = Array.from({ length: read }, (_, n) => String(n + 1));
    assert.deepEqual([notes.map(({ key }) => key), now, asked], [keys, read, [undefined, ...keys.slice(0, -1)]]);
  }
});
