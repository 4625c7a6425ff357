/** Scopes about locks as core holds them: waited for, renewed, given up and given back, over brokers of their own. */
import { StoreBroker } from "../../src/core/broker.ts";
import type { Broker } from "../../src/core/brokerFace.ts";
import type { CoreScope, Stage } from "./corePlay.ts";
import { Line } from "./locks.ts";

const pastLeaseMs = 9_000;
const looksForMs = 20_000;

/** What is read, thought about and written under a lock, with its fence. */
class Guarded {
  value = 0;
  writes = 0;
  #fence = 0;
  readonly #stage: Stage;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async add(who: string, fence: number): Promise<void> {
    if (fence < this.#fence) return;
    this.#fence = fence;
    const read = this.value;
    await this.#stage.call(who, "thinks", () => read, true);
    if (fence < this.#fence) return;
    this.value = read + 1;
    this.writes++;
  }
}

async function brokerOf(stage: Stage, who: string): Promise<Broker> {
  const broker = new StoreBroker({ engine: stage.engine(who), runtime: stage.runtime(who), definitions: [] });
  await broker.open();
  return broker;
}

function scopeOf(name: string, holds: string, doing: (broker: Broker, fn: (fence: number) => Promise<void>, nth: number) => Promise<unknown>): CoreScope {
  return {
    name,
    holds,
    stage: async (stage) => {
      void new Line(stage.watch);
      const guarded = new Guarded(stage);
      const names = ["one", "two"];
      const brokers = await Promise.all(names.map((who) => brokerOf(stage, who)));
      return {
        begin: () => {
          for (const [nth, broker] of brokers.entries()) doing(broker, (fence) => guarded.add(names[nth] ?? "", fence), nth).catch(() => undefined);
        },
        times: [pastLeaseMs],
        may: { one: ["lose", "die"], two: ["lose", "die"] },
        check: async () => {
          const last = await brokerOf(stage, "the last");
          let isHad = false;
          void last.lock("lock", { for: "1m", wait: "1m" }).then(() => (isHad = true));
          await stage.clock.pass(looksForMs);
          return [
            ...(guarded.value === guarded.writes ? [] : [`G17 ${guarded.writes} writes under the lock left ${guarded.value}`]),
            ...(isHad ? [] : ["G17 nobody else ever gets the lock"]),
          ];
        },
      };
    },
  };
}

export const all: readonly CoreScope[] = [
  scopeOf(
    "a lock is held, renewed and given back",
    "what looks at the fence loses nothing, and the lock is free again, whoever dies or is too late",
    async (broker, fn) => {
      await using held = await broker.lock("lock", { for: "1m", wait: "0s" });
      await fn(held.fence);
    },
  ),
  scopeOf("leaders of two brokers", "one leads at a time by the fence, and another leads when that one is gone", (broker, fn) =>
    broker.lead("lock", ({ fence }) => fn(fence)),
  ),
];
