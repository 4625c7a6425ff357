/** G17: leadership is a lock. One leads; after its loss another, with a greater fence. */
import type { Leader } from "../../core/lock/leadership.ts";
import type { Instant } from "../../core/runtime.ts";
import { between, equal, grows, present } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";
import type { Process } from "../process.ts";
import type { World } from "../world.ts";

/** Who leads, as it tells. */
class Terms {
  readonly all: { readonly process: string; readonly leader: Leader; readonly from: Instant; to: Instant | undefined }[] = [];
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Leads until its signal fires. */
  stand(process: Process, signal?: AbortSignal): Promise<void> {
    const lead = process.broker.lead("ticker", (leader) => this.#term(process, leader), signal === undefined ? {} : { signal });
    lead.catch(() => undefined);
    return lead;
  }

  get leading(): string[] {
    return this.all.filter(({ to }) => to === undefined).map(({ process }) => process);
  }

  async #term(process: Process, leader: Leader): Promise<void> {
    const term = { process: process.name, leader, from: this.#world.now, to: undefined as Instant | undefined };
    this.all.push(term);
    await new Promise<void>((resolve) => {
      if (leader.signal.aborted) resolve();
      else leader.signal.addEventListener("abort", () => resolve(), { once: true });
    });
    term.to = this.#world.now;
  }
}

export const leadingLaws: readonly Law[] = [
  law("G17", "of three that stand for leader one leads, and for as long as it lives", async (world) => {
    const terms = new Terms(world);
    for (let n = 0; n < 3; n++) void terms.stand(world.process({}));
    await world.advance("5m");
    equal([terms.all.length, terms.leading.length], [1, 1], "terms, and leaders now");
  }),
  law("G17", "a killed leader is followed by another, with a greater fence", async (world) => {
    const terms = new Terms(world);
    const processes = [world.process({}), world.process({}), world.process({})];
    for (const process of processes) void terms.stand(process);
    await world.advance("20s");
    const from = world.now;
    world.crash(
      present(
        processes.find(({ name }) => name === terms.leading[0]),
        "the leader",
      ),
    );
    await world.until("another leads", () => terms.all.length === 2);
    between(world.now - from, 0, 10_000, "ms until another leads");
    grows(
      terms.all.map(({ leader }) => leader.fence),
      "the fences",
    );
  }),
  law("G17", "a leader that lost its leadership is told, and stands again", async (world) => {
    const terms = new Terms(world);
    const [one, two] = [world.process({}), world.process({})];
    void terms.stand(one);
    await world.until("the first leads", () => terms.all.length === 1);
    void terms.stand(two);
    await world.advance("10s");
    world.pause(one);
    await world.until("the second leads", () => terms.all.length === 2);
    await world.resume(one);
    await world.advance("5s");
    equal(terms.leading, [two.name], "who leads");
    world.crash(two);
    await world.until("the first leads again", () => terms.all.length === 3);
    equal(
      terms.all.map(({ process }) => process),
      [one.name, two.name, one.name],
      "who led",
    );
    grows(
      terms.all.map(({ leader }) => leader.fence),
      "the fences",
    );
  }),
  law("G17", "a leader that is asked to stop gives up at once, and is not elected again", async (world) => {
    const terms = new Terms(world);
    const stop = new AbortController();
    const over = terms.stand(world.process({}), stop.signal);
    await world.until("the first leads", () => terms.all.length === 1);
    void terms.stand(world.process({}));
    await world.advance("5s");
    stop.abort();
    await world.finished(over, "the end of the first");
    await world.until("the second leads", () => terms.all.length === 2, "3s");
    await world.advance("1m");
    equal(terms.all.length, 2, "terms");
  }),
  law("G17", "one that stands for leader and is asked to stop keeps nobody out", async (world) => {
    const terms = new Terms(world);
    const [one, two, three] = [world.process({}), world.process({}), world.process({})];
    void terms.stand(one);
    await world.until("the first leads", () => terms.all.length === 1);
    const stop = new AbortController();
    const over = terms.stand(two, stop.signal);
    await world.advance("2s");
    void terms.stand(three);
    await world.advance("2s");
    stop.abort();
    await world.finished(over, "the end of the second");
    await world.finished(one.broker.close(), "the close of the first");
    await world.until("the third leads", () => terms.leading[0] === three.name, "5s");
  }),
  ...lawsOf(
    "G17",
    [
      { how: "returns", fn: () => undefined, error: undefined },
      { how: "throws", fn: () => Promise.reject(new Error("no more")), error: "no more" },
    ],
    ({ how }) => `a leader that ${how} has given its leadership back`,
    async (world, { fn, error }) => {
      const terms = new Terms(world);
      const over = world.process({}).broker.lead("ticker", fn);
      equal(await world.finished(over, "the end of the first").catch((thrown: Error) => thrown.message), error, "what lead() told");
      void terms.stand(world.process({}));
      await world.until("the second leads", () => terms.all.length === 1, "2s");
    },
  ),
  law("G17", "closing a broker ends its leadership", async (world) => {
    const terms = new Terms(world);
    const one = world.process({});
    const over = terms.stand(one);
    await world.until("the first leads", () => terms.all.length === 1);
    await world.finished(one.broker.close(), "the close");
    await world.finished(over, "the end of lead()");
    equal(terms.leading, [], "who leads");
    void terms.stand(world.process({}));
    await world.until("the second leads", () => terms.all.length === 2, "2s");
  }),
];
