/** change: what a person does to jobs. */
import type { Change, Selection } from "../../src/core/engine.ts";
import type { Command, SelectionPlan } from "./commands.ts";
import { must, mustEqual } from "./divergence.ts";
import { performBeat } from "./performTime.ts";
import { filterOf, headStartOf } from "./plans.ts";
import type { World } from "./world.ts";

type ChangeCommand = Extract<Command, { do: "cancel" | "retry" | "delete" | "prioritise" }>;

const limitDefault = 1_000;

export async function performChange(world: World, command: ChangeCommand): Promise<void> {
  const which = selectionOf(world, command.which);
  const change = changeOf(command);
  const limit = command.limit ?? limitDefault;
  const answer = await world.call("change", { which, change, limit }, () => world.engine.change(which, change, limit, { now: world.now }));
  const view = await world.look();
  const expected = world.model.change(which, change, limit, world.now, (id) => answer.jobs.find((job) => job.id === id)?.is);
  mustEqual(
    `the answers to ${command.do}`,
    answer.jobs.map(({ id, is }) => `${id} ${is}`),
    expected.jobs.map(({ id, is }) => `${id} ${is}`),
  );
  must(answer.hasMore === expected.hasMore || (answer.hasMore && answer.jobs.length === limit), `hasMore ${answer.hasMore}`);
  world.check(view, "change", ["change"]);
  if (command.do === "cancel" && command.isHeard && answer.jobs.some((job) => job.is === "cancelling")) await beatAll(world);
}

async function beatAll(world: World): Promise<void> {
  for (const slot of [0, 1, 2]) await performBeat(world, slot);
}

export function selectionOf(world: World, plan: SelectionPlan): Selection {
  if (plan.ids === undefined) return { jobs: filterOf(plan) };
  const ids = [...world.model.state.jobs.toSorted((a, b) => a.seq - b.seq).map((job) => job.id), "nobody"];
  return { ids: [...new Set(plan.ids.map((index) => ids[index % ids.length] ?? "nobody"))] };
}

function changeOf(command: ChangeCommand): Change {
  if (command.do === "cancel") return { do: "cancel", reason: "cancelled by test" };
  return command.do === "prioritise" ? { do: "prioritise", headStartMs: headStartOf(command.priority) } : { do: command.do };
}
