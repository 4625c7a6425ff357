/** G12: each instant of a schedule enqueues exactly one job; none at or before the cursor is enqueued again; what was missed follows its policy. */
import { durationMs, type Duration } from "../../core/duration.ts";
import { batch } from "../../core/compose/batch.ts";
import { every } from "../../core/schedule/every.ts";
import { task } from "../../core/task.ts";
import { Seeded } from "../../testing/seeded.ts";
import { between, equal, holds, present } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";
import type { Process } from "../process.ts";
import type { World } from "../world.ts";

const minuteMs = 60_000;
const tick = task<{ n?: number }>("tick", () => undefined);

/** The slots of all jobs that are stored, in ms since `from`. */
async function slotsStored(world: World, name: string, from: number): Promise<number[]> {
  const slots: number[] = [];
  let after: string | undefined;
  do {
    const page = await world.observer.list({ task: name }, { limit: 1_000, ...(after !== undefined && { after }) });
    for (const { slotAt } of page.jobs) slots.push(present(slotAt, "a job's slot").getTime() - from);
    after = page.next;
  } while (after !== undefined);
  return slots.toSorted((a, b) => a - b);
}

/** Multiples of `every` in (0, until]. */
function multiples(every: Duration, until: number): number[] {
  const everyMs = durationMs(every, "every");
  return Array.from({ length: Math.floor(until / everyMs) }, (_, index) => (index + 1) * everyMs);
}

const once: readonly Law[] = [
  law("G12", "each slot is enqueued once and starts at its instant, whichever of five workers see it, however wrong their clocks", async (world) => {
    const ticking = every("10s", tick.with({}));
    const from = world.now;
    for (const minutes of [0, -10, 10, -1, 1]) await world.worker({ ticking }, { clockOffsetMs: minutes * minuteMs, latencyMs: 20 });
    await world.advance("4m");
    equal(await slotsStored(world, "tick", from), multiples("10s", 4 * minuteMs), "slots, each once");
    equal(world.runs.length, 24, "runs");
    for (const [index, run] of world.runs.entries()) between(run.startedAt - from - (index + 1) * 10_000, 0, 200, "ms from a slot to its start");
  }),
  law("G12", "a slot's job knows its instant, also when its first run died with its worker", async (world) => {
    const seen: (number | undefined)[] = [];
    const fragile = task("fragile", async (_, job) => {
      seen.push(job.slot?.getTime());
      if (seen.length === 1) await world.die(job);
    });
    const ticking = every("1m", fragile.with({}));
    const from = world.now;
    await world.worker({ ticking });
    await world.worker({ ticking });
    await world.advance("90s");
    equal(seen, [from + minuteMs, from + minuteMs], "the slot of both runs");
  }),
  law("G12", "a worker without the task's code enqueues the slot; one that has it runs it", async (world) => {
    const ticking = every("1m", tick.with({ n: 7 }));
    await world.process({ ticking }).broker.open();
    await world.worker({ other: task("other", () => undefined) });
    await world.advance("90s");
    equal((await world.observer.count({ task: "tick" })).ready, 1, "jobs that wait for the code");
    await world.worker({ tick });
    await world.drained();
    equal(
      world.runs.map((run) => run.input),
      [{ n: 7 }],
      "what ran",
    );
  }),
  law("G12", "a tick whose answer is lost is not made twice", async (world) => {
    const everyMs = 30_000;
    const ticking = every("30s", tick.with({}));
    const from = world.now;
    const worker = await world.worker({ ticking }, { latencyMs: 20 });
    for (let turn = 0; turn < 6; turn++) {
      // It looks at the pauses, looks at the schedules, and writes: each takes 20 ms on its way.
      await world.advance(`${everyMs - (world.now % everyMs) + 50}ms`);
      world.loseAnswers(worker);
      await world.advance("20ms");
      world.healStore(worker);
      await world.advance("5s");
    }
    equal(await slotsStored(world, "tick", from), multiples("30s", world.now - from), "slots, each once");
  }),
  law("G12", "slots that come while the store is away are enqueued within 2 s of its return", async (world) => {
    const ticking = every("3s", tick.with({}));
    const from = world.now;
    const workers = [await world.worker({ ticking }), await world.worker({ ticking })];
    await world.advance("4s");
    for (const worker of workers) world.cutStore(worker);
    await world.advance("6s");
    equal(world.runs.length, 1, "runs before it returns");
    const back = world.now;
    world.healStore();
    await world.until("both have run", () => world.runs.length >= 3, "5s");
    between(world.now - back, 0, 2_100, "ms from its return to the start of both");
    await world.advance("2s");
    equal(await slotsStored(world, "tick", from), multiples("3s", world.now - from), "slots, each once");
  }),
  law("G12", "a batch is enqueued at each slot, whole, and what follows it waits for that one", async (world) => {
    const step = task<{ n: number }>("step", ({ n }) => world.sleep(`${n}s`));
    const done = task("done", () => undefined);
    const closing = every("1m", batch([step.with({ n: 1 }), step.with({ n: 3 })], { whenAllSucceed: done.with({}) }), { name: "closing" });
    const from = world.now;
    for (let n = 0; n < 3; n++) await world.worker({ closing }, { latencyMs: 10 });
    await world.advance("190s");
    equal(
      await slotsStored(world, "step", from),
      [1, 1, 2, 2, 3, 3].map((minute) => minute * minuteMs),
      "slots of members",
    );
    equal(
      world.runsOf("done").map((run) => Math.floor((run.startedAt - from) / 1_000)),
      [63, 123, 183],
      "seconds of what follows",
    );
  }),
  law("G12", "two schedules of one task have their own slots", async (world) => {
    const ticking = every("1m", tick.with({}), { name: "a" });
    const other = every("1m", tick.with({}), { name: "b" });
    await world.worker({ ticking, other });
    await world.worker({ ticking, other });
    await world.advance("190s");
    equal((await world.observer.count()).completed, 6, "jobs of two schedules of one task");
  }),
];

/** Workers that come, go, die, stand still and lose the store, for some minutes. */
async function storm(world: World, seed: number, definitions: Readonly<Record<string, unknown>>): Promise<void> {
  const random = new Seeded(seed);
  const chance = (of: number): boolean => random.random() < of;
  let workers: Process[] = [];
  for (let turn = 0; turn < 20; turn++) {
    if (workers.length < 4 && chance(0.5))
      workers.push(
        await world.worker(definitions, {
          clockOffsetMs: Math.round((random.random() - 0.5) * 20) * minuteMs,
          latencyMs: Math.floor(random.random() * 3) * 10,
        }),
      );
    const victim = workers[Math.floor(random.random() * workers.length)];
    if (victim !== undefined && chance(0.5)) workers = await struck(world, victim, workers, random.random());
    await world.advance(`${Math.floor(random.random() * 20_000)}ms`);
  }
}

async function struck(world: World, victim: Process, workers: readonly Process[], fate: number): Promise<Process[]> {
  const rest = workers.filter((worker) => worker !== victim);
  if (fate < 0.3) world.crash(victim);
  else if (fate < 0.6) await world.stop(victim);
  else if (fate < 0.8) {
    world.loseAnswers(victim);
    await world.advance("1500ms");
    world.healStore(victim);
    return [...workers];
  } else {
    world.pause(victim);
    await world.advance("7s");
    await world.resume(victim);
    return [...workers];
  }
  return rest;
}

const storms: readonly Law[] = lawsOf(
  "G12",
  [1, 2, 3].map((seed) => ({ seed })),
  ({ seed }) => `a storm of starts, stops, kills, pauses and lost answers (${seed}): each slot has exactly one job`,
  async (world, { seed }) => {
    const often = task("often", () => undefined);
    const rare = task("rare", () => world.sleep("3s"));
    const schedules = {
      often: every("7s", often.with({}), { missed: "run-all" }),
      rare: every("*/2 * * * *", rare.with({}), { missed: "run-all", overlap: "wait" }),
    };
    const from = world.now;
    await world.process(schedules).broker.open();
    await storm(world, seed, schedules);
    await world.worker(schedules);
    await world.advance("20s");
    const lasted = world.now - from;
    equal(await slotsStored(world, "often", from), multiples("7s", lasted), "slots of the interval, each once");
    equal(await slotsStored(world, "rare", from), multiples("2m", lasted), "slots of the pattern, each once");
    await world.until("all of them have run", async () => (await world.observer.count({ task: "rare" })).completed === multiples("2m", lasted).length, "5m");
  },
);

const missing: readonly Law[] = lawsOf<{ missed: "drop" | "run-once" | "run-all"; runs: readonly number[] }>(
  "G12",
  [
    { missed: "drop", runs: [1, 6] },
    { missed: "run-once", runs: [1, 5, 6] },
    { missed: "run-all", runs: [1, 2, 3, 4, 5, 6] },
  ],
  ({ missed, runs }) => `slots that came while no worker ran: ${missed} runs those of minutes ${runs.join(", ")}`,
  async (world, { missed, runs }) => {
    const ticking = every("1m", tick.with({}), { missed });
    const from = world.now;
    const first = await world.worker({ ticking });
    await world.advance("90s");
    world.crash(first);
    await world.advance("4m");
    await world.worker({ ticking });
    await world.worker({ ticking });
    await world.advance("45s");
    equal(
      (await slotsStored(world, "tick", from)).map((slot) => slot / minuteMs),
      runs,
      "minutes of slots",
    );
  },
);

const overlapping: readonly Law[] = lawsOf<{ overlap: "allow" | "skip" | "wait"; starts: readonly number[] }>(
  "G12",
  [
    { overlap: "allow", starts: [10, 20, 30, 40] },
    { overlap: "skip", starts: [10, 40] },
    { overlap: "wait", starts: [10, 35] },
  ],
  ({ overlap, starts }) => `every 10 s a run of 25 s, overlap ${overlap}: runs start at ${starts.join(", ")} s`,
  async (world, { overlap, starts }) => {
    const slow = task("slow", () => world.sleep("25s"));
    const ticking = every("10s", slow.with({}), { overlap });
    const from = world.now;
    await world.worker({ ticking });
    await world.worker({ ticking });
    await world.advance("45s");
    equal(
      world.runs.map((run) => Math.round((run.startedAt - from) / 1_000)),
      starts,
      "seconds of starts",
    );
  },
);

const changing: readonly Law[] = [
  law("G12", "an edit by another process holds within a heartbeat, and brings no instant back", async (world) => {
    const ticking = every("1m", tick.with({}));
    const from = world.now;
    await world.worker({ ticking });
    await world.advance("130s");
    const schedule = world.observer.schedule("tick");
    await schedule.edit({ rhythm: "5s" });
    await schedule.edit({ rhythm: "1m" });
    await schedule.edit({ rhythm: "30s" });
    await world.advance("50s");
    equal(
      (await slotsStored(world, "tick", from)).map((slot) => slot / 1_000),
      [60, 120, 150, 180],
      "seconds of slots",
    );
  }),
  law("G12", "a boot does not undo what people changed, nor begin anew", async (world) => {
    const ticking = every("1m", tick.with({}), { missed: "run-all" });
    const from = world.now;
    const first = await world.worker({ ticking });
    await world.advance("70s");
    await world.observer.schedule("tick").edit({ rhythm: "20s" });
    await world.advance("15s");
    await world.stop(first);
    await world.worker({ ticking });
    await world.advance("25s");
    equal(
      (await slotsStored(world, "tick", from)).map((slot) => slot / 1_000),
      [60, 80, 100],
      "seconds of slots",
    );
  }),
  law("G12", "a paused schedule enqueues nothing in any process, and makes up for nothing when it goes on", async (world) => {
    const ticking = every("10s", tick.with({}), { missed: "run-all" });
    const from = world.now;
    await world.worker({ ticking });
    await world.worker({ ticking });
    await world.advance("25s");
    await world.observer.pause({ schedule: "tick" }, "for a test");
    await world.advance("1m");
    holds((await world.observer.schedules())[0]?.isPaused === true, "it is told as paused");
    await world.observer.resume({ schedule: "tick" });
    await world.advance("10s");
    equal(
      (await slotsStored(world, "tick", from)).map((slot) => slot / 1_000),
      [10, 20, 90],
      "seconds of slots",
    );
  }),
  law("G12", "a backfill enqueues what is not there, once, and what is there stays", async (world) => {
    const ticking = every("1m", tick.with({}), { missed: "drop" });
    const from = world.now;
    const worker = await world.worker({ ticking });
    await world.advance("70s");
    world.crash(worker);
    await world.advance("200s");
    await world.worker({ ticking });
    const schedule = world.observer.schedule("tick");
    const asked = [new Date(from), new Date(world.now + minuteMs)] as const;
    equal(await schedule.backfill(...asked), { slots: 5, enqueued: 4, known: 1 }, "the first answer");
    equal(await schedule.backfill(...asked), { slots: 5, enqueued: 0, known: 5 }, "the second answer");
    equal(
      (await slotsStored(world, "tick", from)).map((slot) => slot / minuteMs),
      [0, 1, 2, 3, 4],
      "minutes of slots",
    );
  }),
  law("G12", "a removed schedule enqueues nothing more, though workers that defined it go on", async (world) => {
    const ticking = every("10s", tick.with({}));
    await world.worker({ ticking });
    await world.advance("25s");
    await world.observer.schedule("tick").remove();
    await world.advance("1m");
    equal((await world.observer.count()).completed, 2, "jobs");
  }),
];

export const scheduleLaws: readonly Law[] = [...once, ...storms, ...missing, ...overlapping, ...changing];
