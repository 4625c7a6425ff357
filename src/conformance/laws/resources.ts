/** G9: of a resource never more is held than there is, whoever needs it and however its capacity changes. */
import { resource, type ResourceOptions } from "../../core/limits/resource.ts";
import { task, type Task } from "../../core/task.ts";
import { mostAtOnce } from "../atOnce.ts";
import { equal, holds } from "../expect.ts";
import { law, type Law } from "../law.ts";
import type { Run } from "../runs.ts";
import type { World } from "../world.ts";

interface Numbered {
  readonly n: number;
}

function needing(world: World, name: string, gpu: number, length: "300ms" | "1s" | "3s" = "1s"): Task<Numbered> {
  return task<Numbered>(name, { needs: { gpu }, run: () => world.sleep(length) });
}

const numbered = (count: number): Numbered[] => Array.from({ length: count }, (_, n) => ({ n }));
const amount = (run: Run): number => Number(run.task.slice("takes-".length));
const gpu = (options: ResourceOptions): ReturnType<typeof resource> => resource("gpu", options);

export const resourceLaws: readonly Law[] = [
  law("G9", "tasks that need different amounts of one resource never hold more than there is, though workers are killed", async (world) => {
    const definitions = {
      gpu: gpu({ capacity: 4 }),
      one: needing(world, "takes-1", 1),
      two: needing(world, "takes-2", 2),
      three: needing(world, "takes-3", 3),
    };
    const { broker } = await world.worker(definitions);
    const victim = await world.worker(definitions);
    await broker.enqueue([definitions.one, definitions.two, definitions.three].flatMap((each) => numbered(8).map((input) => each.with(input))));
    await world.advance("2500ms");
    world.crash(victim);
    const deaths = new Map([[victim.name, world.now]]);
    await world.drained("2m");
    equal(new Set(world.runs.map((run) => run.id)).size, 24, "jobs that ran");
    equal(mostAtOnce(world.runs, amount, deaths), 4, "the most that was held at once");
  }),
  law("G9", "a resource follows its calendar, by the store's clock", async (world) => {
    const definitions = { gpu: gpu({ capacity: 1, calendar: [{ open: "00:10-00:20", zone: "UTC", capacity: 3 }] }), work: needing(world, "takes-1", 1, "3s") };
    const { broker } = await world.worker(definitions, { clockOffsetMs: -3_600_000 });
    await world.worker(definitions, { clockOffsetMs: 3_600_000 });
    await broker.enqueue(numbered(1_200).map((input) => definitions.work.with(input)));
    const atOnce = async (): Promise<number> => {
      await world.advance("2s");
      const from = world.now;
      await world.advance("10s");
      return mostAtOnce(world.runs.filter((run) => run.startedAt >= from));
    };
    const counts = [await atOnce()];
    for (const wait of ["10m", "10m"] as const) {
      await world.advance(wait);
      counts.push(await atOnce());
    }
    equal(counts, [1, 3, 1], "at once before, during and after its hours");
  }),
  law("G9", "a resource's capacity can be edited while workers run; the calendar waits until it is as defined again", async (world) => {
    const definitions = { gpu: gpu({ capacity: 2 }), work: needing(world, "takes-1", 1, "300ms") };
    const { broker } = await world.worker(definitions);
    await broker.enqueue(numbered(500).map((input) => definitions.work.with(input)));
    const counts: number[] = [];
    for (const edit of [undefined, { capacity: 5 }, { capacity: 1 }, "as-defined"] as const) {
      if (edit !== undefined) await broker.limit({ resource: "gpu" }, edit);
      await world.advance("2s");
      const from = world.now;
      await world.advance("3s");
      counts.push(mostAtOnce(world.runs.filter((run) => run.startedAt >= from)));
    }
    equal(counts, [2, 5, 1, 2], "at once, after each edit");
  }),
  law("G9", "what a worker has itself is counted by that worker alone", async (world) => {
    const definitions = { one: needing(world, "takes-1", 1), two: needing(world, "takes-2", 2) };
    const owner = await world.worker(definitions, { has: { gpu: 3 } });
    const poor = await world.worker(definitions);
    await owner.broker.enqueue([definitions.one, definitions.two].flatMap((each) => numbered(9).map((input) => each.with(input))));
    await world.drained("2m");
    equal(new Set(world.runs.map((run) => run.process)), new Set([owner.name]), "who ran them");
    equal(mostAtOnce(world.runs, amount), 3, "the most that was held at once");
    holds(poor.name !== owner.name, "there was another worker");
  }),
  law("G9", "workers that have a resource each use all of it", async (world) => {
    const definitions = { one: needing(world, "takes-1", 1) };
    const owners = [await world.worker(definitions, { has: { gpu: 2 } }), await world.worker(definitions, { has: { gpu: 3 } })];
    await owners[0]?.broker.enqueue(numbered(40).map((input) => definitions.one.with(input)));
    await world.drained("2m");
    const counts = owners.map(({ name }) => mostAtOnce(world.runs.filter((run) => run.process === name)));
    equal(counts, [2, 3], "at once in each");
  }),
  law("G9", "a need that nobody can meet is named in a warning, and in why", async (world) => {
    const work = needing(world, "takes-1", 1);
    const { broker } = await world.worker({ work, tpu: resource("tpu", { capacity: 1 }) });
    const { id } = await broker.enqueue(work.with({ n: 1 }));
    await world.advance("5s");
    equal(world.runs.length, 0, "runs");
    holds(
      world.warnings.some(({ message }) => message.includes("needs gpu") && message.includes('did you mean "tpu"?')),
      "a warning that names the need",
      world.warnings,
    );
    holds((await broker.why(id)).includes("gpu"), "why names the need", await broker.why(id));
  }),
];
