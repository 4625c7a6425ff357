/** Payloads of other versions: older ones are upgraded when they are claimed, newer ones are left for a worker that knows them (G22). */
import { event } from "../../core/event.ts";
import type { Schema } from "../../core/schema.ts";
import { task, type Task } from "../../core/task.ts";
import { when } from "../../core/when.ts";
import { between, equal, matches } from "../expect.ts";
import { law, type Law } from "../law.ts";

/** Takes objects that have a number of cents, and nothing else. */
const inCents: Schema<{ cents: number }> = {
  "~standard": {
    version: 1,
    vendor: "conformance",
    validate: (value) =>
      typeof (value as { cents?: unknown } | null)?.cents === "number"
        ? { value: value as { cents: number } }
        : { issues: [{ message: "cents is no number" }] },
  },
};

/** As it was at first, and as it is in version 3. */
const first = task("pay", (_: { euros: number }) => undefined);
const upgrades: { old: unknown; from: number }[] = [];
function third(run: (input: { cents: number }) => unknown = () => undefined): Task<{ cents: number }> {
  return task("pay", {
    input: inCents,
    version: 3,
    upgrade(old: { euros?: number; cents?: number }, from) {
      upgrades.push({ old, from });
      return { cents: old.cents ?? (old.euros ?? 0) * 100 };
    },
    retry: { backoff: "fixed", first: "100ms" },
    run,
  });
}
const second = task("pay", { version: 2, run: (_: { cents: number }) => undefined });

export const versionLaws: readonly Law[] = [
  law("G22", "payloads of older versions are upgraded before the schema sees them, and those of today are not", async (world) => {
    upgrades.length = 0;
    const today = third();
    await world.process({ first }).broker.enqueue(first.with({ euros: 1 }));
    await world.advance("1ms");
    await world.process({ second }).broker.enqueue(second.with({ cents: 200 }));
    await world.advance("1ms");
    await world.process({ today }).broker.enqueue(today.with({ cents: 300 }));
    await world.worker({ today }, { queues: { default: 1 } });
    await world.drained();
    equal(
      world.runs.map(({ input }) => input),
      [{ cents: 100 }, { cents: 200 }, { cents: 300 }],
      "what the runs were given",
    );
    equal(
      upgrades,
      [
        { old: { euros: 1 }, from: 1 },
        { old: { cents: 200 }, from: 2 },
      ],
      "what was upgraded",
    );
  }),
  law(
    "G22",
    "a payload of a newer version is left by a worker that does not know it, uncharged and with a reason, and runs where it is known",
    async (world) => {
      const today = third();
      const { id } = await world.process({ today }).broker.enqueue(today.with({ cents: 1 }));
      const unknowing = await world.worker({ second });
      await world.advance("2m");
      const job = await world.job(id);
      equal([world.runs.length, job.attempts], [0, 0], "runs, and attempts");
      matches(await world.observer.why(id), /version 3 of task "pay" is not known here, but 2/, "why");
      await world.worker({ today });
      await world.stop(unknowing);
      const from = world.now;
      await world.drained("2m");
      equal(
        world.runs.map(({ input }) => input),
        [{ cents: 1 }],
        "what the run was given",
      );
      between(world.now - from, 0, 40_000, "ms until it ran");
    },
  ),
  law("G22", "a task without versions leaves payloads of a task that has them", async (world) => {
    const today = third();
    const { id } = await world.process({ today }).broker.enqueue(today.with({ cents: 1 }));
    await world.worker({ first });
    await world.advance("10s");
    equal([world.runs.length, (await world.job(id)).attempts], [0, 0], "runs, and attempts");
  }),
  law("G22", "an upgrade that throws is tried again; what it answers and the schema refuses is dead at once", async (world) => {
    let tries = 0;
    const flaky = task("pay", {
      input: inCents,
      version: 2,
      upgrade: (old: { euros: number }) => {
        if (old.euros === 0) return {} as { cents: number };
        if (++tries < 3) throw new Error("the rates are not there yet");
        return { cents: old.euros * 100 };
      },
      retry: { backoff: "fixed", first: "100ms" },
      run: () => undefined,
    });
    const { broker } = world.process({ first });
    const [good, bad] = await broker.enqueue([first.with({ euros: 7 }), first.with({ euros: 0 })]);
    await world.worker({ flaky });
    await world.drained();
    equal([await world.stateOf(good?.id ?? ""), tries], ["completed", 3], "the state of the good one, and the tries");
    const dead = await world.job(bad?.id ?? "");
    equal([dead.state, dead.attempts], ["dead", 1], "the state of the bad one, and its attempts");
    matches(dead.reason, /^payload-invalid/, "its reason");
  }),
  law("G22", "jobs of events carry the version that their task had when it subscribed", async (world) => {
    upgrades.length = 0;
    const paid = event<{ cents: number }>("paid");
    const today = third();
    await world.process({ old: when(paid, second) }).broker.open();
    const { broker } = world.process({});
    await broker.publish(paid.with({ cents: 1 }));
    await world.process({ now: when(paid, today) }).broker.open();
    await world.advance("1ms");
    await broker.publish(paid.with({ cents: 2 }));
    await world.worker({ now: when(paid, today) }, { queues: { default: 1 } });
    await world.drained();
    equal(
      world.runs.map(({ input }) => input),
      [{ cents: 1 }, { cents: 2 }],
      "what the runs were given",
    );
    equal(upgrades, [{ old: { cents: 1 }, from: 2 }], "what was upgraded");
  }),
  law("G22", "a job whose payload is replaced is of the version of the new one", async (world) => {
    upgrades.length = 0;
    const rules = { uniqueBy: "key", ifTaken: "replace", run: () => undefined } as const;
    const old = task<{ key: string; n: number }>("sync", rules);
    const today = task<{ key: string; n: number }>("sync", { ...rules, version: 2, upgrade: (input: { key: string; n: number }) => ({ ...input, n: -1 }) });
    await world.process({ old }).broker.enqueue([old.with({ key: "a", n: 1 }), old.with({ key: "b", n: 1 })]);
    await world.process({ today }).broker.enqueue(today.with({ key: "a", n: 2 }));
    await world.worker({ today }, { queues: { default: 1 } });
    await world.drained();
    equal(
      world.runs.map(({ input }) => input as { key: string; n: number }).toSorted((one, other) => one.key.localeCompare(other.key)),
      [
        { key: "a", n: 2 },
        { key: "b", n: -1 },
      ],
      "what the runs were given",
    );
  }),
];
