/** A claim over three homes, each on a server of its own: which it asks, what it fills, and what becomes of it where one does not answer. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Claim, Claimed, NewJob, Outcome } from "../../../src/core/engine.ts";
import { connectionOf } from "../../../src/redis/client.ts";
import { Home } from "../../../src/redis/spread/home.ts";
import { homeOfFence, homesOf } from "../../../src/redis/spread/homes.ts";
import { Lending } from "../../../src/redis/spread/lending.ts";
import { Visits } from "../../../src/redis/spread/visits.ts";
import { job, leaseMs, member } from "../../port/stage.ts";
import { PrivateServer } from "../privateServer.ts";
import { noServer } from "../server.ts";
import { ToldRuntime } from "../stage.ts";

const count = 3;
const start = Date.UTC(2026, 0, 1);
const second = 1_000;
let servers: readonly PrivateServer[] = [];
let made = 0;

/** Time passes only when it is let. */
class Clock extends ToldRuntime {
  passedMs = 0;

  override monotonic(): number {
    return this.passedMs;
  }
}

class Scene implements AsyncDisposable {
  readonly runtime: Clock = new Clock();
  readonly visits: Visits;
  readonly #homes: readonly Home[];
  #claims = 0;

  private constructor(homes: readonly Home[], runtime: Clock) {
    this.#homes = homes;
    this.runtime = runtime;
    this.visits = new Visits({ homes, runtime, lending: new Lending(() => Promise.resolve()) });
  }

  /** Another one of the same prefix is another process. */
  static async of(prefix: string = `visits${++made}`): Promise<Scene> {
    const runtime = new Clock();
    const held: { scene?: Scene } = {};
    const hears = { told: (home: number) => held.scene?.visits.heads.changed(home), mailed: async () => undefined, greeted: () => undefined };
    const open = homesOf(prefix, count).map((key, number) => {
      const { connection } = connectionOf(servers[number]?.url, { prefix, home: key });
      return Home.open({ runtime, connection, number, key, replicas: 0, homes: count, hears });
    });
    return (held.scene = new Scene(await Promise.all(open), runtime));
  }

  /** Stored so long after the start. */
  async put(home: number, afterMs: number, ...jobs: readonly NewJob[]): Promise<void> {
    await this.#at(home).verbs.enqueue(
      jobs.map((one) => ({ works: [one] })),
      { now: start + afterMs },
    );
  }

  claim(more: Partial<Claim> = {}): Promise<Claimed> {
    this.#claims += 1;
    const wanted: Claim = {
      process: "p",
      leaseMs,
      claim: `c${this.#claims}`,
      lastFence: 0,
      queues: [{ queue: "mail", slots: 10, ahead: 0 }],
      tasks: ["send"],
      alone: "no",
      settling: [],
      ...more,
    };
    return this.visits.claim(wanted, { now: start + 10 * second });
  }

  outcome({ jobs, fence }: Claimed, nth: number): Outcome {
    const { id = "", fence: own } = jobs[nth] ?? {};
    return { id, claim: `c${this.#claims}`, fence: own ?? fence, is: "completed", ranMs: 1 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#homes.map((home) => home.close()));
  }

  ping(home: number): Promise<unknown> {
    return this.#at(home).connection.ask("ping");
  }

  #at(home: number): Home {
    const found = this.#homes[home];
    assert.ok(found);
    return found;
  }
}

function slots(most: number, ahead = 0): Pick<Claim, "queues"> {
  return { queues: [{ queue: "mail", slots: most, ahead }] };
}

const ids = ({ jobs }: Claimed): readonly string[] => jobs.map(({ id }) => id);

describe("a claim over several homes", { skip: noServer ?? false }, () => {
  before(async () => {
    servers = await Promise.all(Array.from({ length: count }, () => PrivateServer.start({ settings: { appendonly: "yes" } })));
  });
  after(() => Promise.all(servers.map((server) => server.stop())));

  it("asks the one with the most urgent job first, and the next only for what is left", async () => {
    await using scene = await Scene.of();
    await scene.put(0, 3, job("c"), job("d"));
    await scene.put(1, 1, job("a"), job("b"));
    await scene.put(2, 5, job("e"));
    assert.deepEqual(ids(await scene.claim(slots(3))), ["a", "b", "c"]);
    assert.deepEqual(ids(await scene.claim(slots(3))), ["d", "e"]);
    assert.deepEqual(ids(await scene.claim(slots(3))), []);
  });

  it("gives each job the fence of its home, and settles each there", async () => {
    await using scene = await Scene.of();
    for (const home of [0, 1, 2]) await scene.put(home, home, job(`j${home}`));
    const claimed = await scene.claim();
    assert.deepEqual(
      claimed.jobs.map(({ fence = claimed.fence }) => homeOfFence(fence)),
      [0, 1, 2],
    );
    const outcomes = [2, 0, 1].map((nth) => scene.outcome(claimed, nth));
    const { settled } = await scene.claim({ settling: outcomes });
    assert.deepEqual(
      settled.map(({ id, is }) => [id, is]),
      [
        ["j2", "settled"],
        ["j0", "settled"],
        ["j1", "settled"],
      ],
    );
  });

  it("counts what is handed out of a task over all of them", async () => {
    await using scene = await Scene.of();
    for (const home of [0, 1, 2]) await scene.put(home, home, job(`x${home}`), job(`y${home}`));
    assert.deepEqual(ids(await scene.claim({ terms: { send: { most: 3 } } })), ["x0", "y0", "x1"]);
  });

  it("fills hands first, and holds ahead no more than it was asked to", async () => {
    await using scene = await Scene.of();
    await scene.put(0, 0, job("a"));
    await scene.put(1, 1, job("b"), job("c"));
    await scene.put(2, 2, member("laned", "continue"), job("d"));
    assert.deepEqual(ids(await scene.claim(slots(1, 2))), ["a", "b", "c"]);
    assert.deepEqual(ids(await scene.claim(slots(1, 2))), ["laned", "d"]);
  });

  it("finds what others stored where it knew of nothing once a second has passed", async () => {
    await using scene = await Scene.of("shared");
    await using other = await Scene.of("shared");
    assert.deepEqual(ids(await scene.claim()), []);
    await other.put(0, 1, job("unheard"));
    assert.deepEqual(ids(await scene.claim()), []);
    scene.runtime.passedMs += second;
    assert.deepEqual(ids(await scene.claim()), ["unheard"]);
  });

  it("goes on with the others where one does not answer, and says that outcomes of that one are not known to be written", async () => {
    await using scene = await Scene.of();
    for (const home of [0, 1, 2]) await scene.put(home, home, job(`a${home}`), job(`b${home}`));
    const first = await scene.claim({ terms: { send: { most: 6 } } });
    const of = (home: number): Outcome => scene.outcome(first, ids(first).indexOf(`a${home}`));
    const settling = [of(2), of(1), of(0)];
    await scene.put(0, 7, job("next"));
    await servers[2]?.kill();
    const partial = await scene.claim({ settling });
    assert.equal(partial.isPartial, true);
    assert.deepEqual(ids(partial), ["next"]);
    assert.deepEqual(
      Array.from(partial.settled, (settled) => settled?.is),
      [undefined, "settled", "settled"],
    );
    assert.equal(scene.runtime.of("warn").filter((message) => message.includes("a partition does not answer")).length, 1);
    await servers[2]?.start();
    scene.runtime.passedMs += second;
    const whole = await scene.claim({ settling: settling.slice(0, 1) });
    assert.equal(whole.isPartial, undefined);
    assert.equal(whole.settled.length, 1);
    assert.ok(scene.runtime.of("info").includes("the partition answers again"));
    assert.deepEqual(
      [0, 2].map((home) => scene.visits.reach.isSteady(home, leaseMs)),
      [true, false],
    );
    scene.runtime.passedMs += leaseMs;
    assert.equal(scene.visits.reach.isSteady(2, leaseMs), true);
  });

  it("does not wait for one that failed and hangs now, neither with what ended there nor with what it may have", async () => {
    await using scene = await Scene.of();
    for (const home of [2, 0, 1]) await scene.put(home, 2 - home, job(`a${home}`), job(`b${home}`));
    const first = await scene.claim(slots(1));
    assert.deepEqual(ids(first), ["a2"]);
    const settling = [scene.outcome(first, 0)];
    await servers[2]?.kill();
    assert.equal((await scene.claim({ ...slots(1), settling })).isPartial, true);
    await servers[2]?.start();
    const hanging = servers[2]?.pause();
    let hasAnswered = false;
    const asked = scene.ping(2).finally(() => (hasAnswered = true));
    const came: string[] = [];
    for (let claims = 0; claims < 6; claims += 1) {
      scene.runtime.passedMs += second;
      const partial = await scene.claim({ ...slots(1), settling });
      assert.equal(partial.isPartial, true);
      came.push(...ids(partial));
    }
    assert.equal(hasAnswered, false);
    assert.deepEqual(came, ["b1", "a0", "b0"]);
    hanging?.resume();
    await asked.catch(() => undefined);
  });
});
