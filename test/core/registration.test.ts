/** What a broker's definitions leave in the store: once, by several brokers at once, and again in another era. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "../../src/core/engine.ts";
import { Definitions } from "../../src/core/definitions.ts";
import { Planner } from "../../src/core/plan.ts";
import { Registration } from "../../src/core/registration.ts";
import { knownNote } from "../../src/core/why/known.ts";
import { event, every, reconcile, task, when } from "../../src/index.ts";
import { memory } from "../../src/memory/index.ts";
import { VirtualRuntime } from "../../src/testing/virtualRuntime.ts";

const happened = event<{ id: string }>("happened");
const send = task<{ id: string }>("send", { uniqueBy: "id", needs: { gpu: 1 }, run: () => undefined });
const definitions = {
  sends: when(happened, send),
  ticking: every("1h", send.with({ id: "7" }), { name: "ticking" }),
  unsent: reconcile(send, { every: "1h", find: async () => await Promise.resolve([]) }),
};

/** A store whose era can be changed and whose calls can be refused; brokers on it register what they define. */
class Stage {
  readonly runtime: VirtualRuntime = new VirtualRuntime();
  readonly #inner: Engine = memory();
  readonly engine: Engine;
  era: string | undefined;
  isAway = false;

  constructor() {
    const own: Partial<Engine> = {
      beat: async (process, leaseMs, at) => ({ ...(await this.#inner.beat(process, leaseMs, at)), ...(this.era !== undefined && { era: this.era }) }),
      enqueue: (atoms, at) => (this.isAway ? Promise.reject(new Error("away")) : this.#inner.enqueue(atoms, at)),
    };
    this.engine = new Proxy(this.#inner, {
      get: (target, name) => {
        const member: unknown = Reflect.get(own, name) ?? Reflect.get(target, name, target);
        return typeof member === "function" ? (member.bind(target) as unknown) : member;
      },
    });
    void this.#inner.open({ runtime: this.runtime });
  }

  registration(): Registration {
    const known = new Definitions([definitions]);
    return new Registration({ engine: this.engine, runtime: this.runtime, definitions: known, planner: new Planner(known, this.runtime) });
  }

  async keys(): Promise<string[]> {
    const { rows } = await this.#inner.find({ of: "notes", prefix: "", limit: 100 }, { now: this.runtime.now() });
    return rows.map(({ key, version }) => `${key} ${version}`);
  }

  async runs(): Promise<number> {
    const { rows } = await this.#inner.find({ of: "jobs", where: { task: "errand.reconcile.send" }, limit: 100 }, { now: this.runtime.now() });
    return rows.length;
  }

  /** The look that was asked for at once has ended. */
  async end(): Promise<void> {
    const { rows } = await this.#inner.find({ of: "jobs", where: { states: ["ready"] }, limit: 100 }, { now: this.runtime.now() });
    await this.#inner.change({ ids: rows.map(({ id }) => id) }, { do: "cancel", reason: "as if it had run" }, 100, { now: this.runtime.now() });
  }

  lost(): Promise<void> {
    return Promise.resolve(this.#inner.enqueue([{ works: [], notes: [{ key: "schedule/ticking", value: undefined }] }], { now: this.runtime.now() })).then(
      () => undefined,
    );
  }
}

const written = ["schedule/errand.reconcile.send 1", "schedule/ticking 1", "subscription/happened/send 1"];

test("several brokers that open at once register each thing once, and one look", async () => {
  const stage = new Stage();
  await Promise.all(Array.from({ length: 5 }, () => stage.registration().register()));
  assert.deepEqual([await stage.keys(), await stage.runs()], [written, 1]);
});

test("opening again writes nothing", async () => {
  const stage = new Stage();
  await stage.registration().register();
  await stage.registration().register();
  assert.deepEqual(await stage.keys(), written);
});

test("in another era of a store that was rolled back, all looks run at once, once for all who hear of it", async () => {
  const stage = new Stage();
  const registrations = [stage.registration(), stage.registration()];
  for (const registration of registrations) await registration.register();
  await stage.end();
  stage.era = "another";
  for (const registration of registrations) registration.heard("another");
  for (const registration of registrations) await registration.idle();
  assert.equal(await stage.runs(), 2);
  for (const registration of registrations) registration.heard("another");
  for (const registration of registrations) await registration.idle();
  await stage.end();
  const late = stage.registration();
  await late.register();
  assert.equal(await stage.runs(), 2);
});

test("in another era a look that is paused waits all the same", async () => {
  const stage = new Stage();
  const registration = stage.registration();
  await registration.register();
  await stage.end();
  await stage.engine.enqueue([{ works: [], notes: [{ key: "pause/schedule/errand.reconcile.send", value: "{}" }] }], { now: stage.runtime.now() });
  registration.heard("another");
  await registration.idle();
  assert.equal(await stage.runs(), 1);
});

test("what cannot be registered again while the store is away is registered with a later heartbeat", async () => {
  const stage = new Stage();
  const registration = stage.registration();
  await registration.register();
  await stage.end();
  await stage.lost();
  stage.isAway = true;
  registration.heard("another");
  await registration.idle();
  assert.ok(!(await stage.keys()).some((key) => key.startsWith("schedule/ticking")));
  stage.isAway = false;
  registration.heard("another");
  await registration.idle();
  assert.ok((await stage.keys()).includes("schedule/ticking 1"));
  assert.equal(await stage.runs(), 2);
});

test("the era that it was registered in is no news", async () => {
  const stage = new Stage();
  const registration = stage.registration();
  await registration.register();
  const { era } = await stage.engine.beat("somebody", 1_000, { now: stage.runtime.now() });
  await stage.lost();
  registration.heard(era);
  await registration.idle();
  assert.ok(!(await stage.keys()).some((key) => key.startsWith("schedule/ticking")));
});

test("what a worker has is told with a later heartbeat, where the store was away when it began", async () => {
  const stage = new Stage();
  const registration = stage.registration();
  await registration.register();
  const { era } = await stage.engine.beat("somebody", 1_000, { now: stage.runtime.now() });
  const known = async (): Promise<unknown> => {
    const note = await stage.engine.readNote(knownNote("send"), { now: stage.runtime.now() });
    return note && (JSON.parse(note.value) as { readonly own?: unknown }).own;
  };
  stage.isAway = true;
  await registration.workerStarts({ has: { gpu: 2 } });
  assert.equal(await known(), undefined);
  stage.isAway = false;
  registration.heard(era);
  await registration.idle();
  assert.deepEqual(await known(), { gpu: 2 });
});
