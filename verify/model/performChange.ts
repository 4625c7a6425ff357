/** change: what a person does to jobs. */
import type { Change, JobFilter, Selection } from "../../src/core/engine.ts";
import type { Command, SelectionPlan } from "./commands.ts";
import { must, mustEqual } from "./divergence.ts";
import { performBeat } from "./performTime.ts";
import { at, headStartOf, lanes, plainTasks, queues, uniques } from "./plans.ts";
import type { World } from "./world.ts";

type ChangeCommand = Extract<Command, { do: "cancel" | "retry" | "delete" | "prioritise" }>;

const limitDefault = 1_000;

export async function performChange(world: World, command: ChangeCommand): Promise<void> {
  const which = selectionOf(world, command.which);
  const change = changeOf(command);
  const limit = command.limit ?? limitDefault;
  const answer = await world.call("change", { which, change, limit }, () => world.engine.change(which, change, limit, { now: world.now }));
  const view = await world.look();
  const expected = world.model.change(which, change, limit, world.now, (id) => answer.jobs.find((job) => job.id === id)?.is, world.storing(view));
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
  if (plan.ids === undefined) return isByJoin(plan) ? { join: joinAt(world, plan.join) } : { jobs: filterOf(world, plan) };
  const ids = [...world.model.state.jobs.toSorted((a, b) => a.seq - b.seq).map((job) => job.id), "nobody"];
  return { ids: [...new Set(plan.ids.map((index) => ids[index % ids.length] ?? "nobody"))] };
}

/** A join alone is the selection by join; beside other fields it is one of a filter. */
function isByJoin(plan: SelectionPlan): plan is SelectionPlan & { readonly join: number } {
  return plan.join !== undefined && Object.keys(plan).length === 1;
}

function joinAt(world: World, pick: number): string {
  const { joins } = world.model.state;
  return joins[pick % Math.max(joins.length, 1)]?.id ?? "nowhere";
}

/** Joins before jobs: more comes after them. */
function thingAt(world: World, pick: number): string {
  const { jobs, joins } = world.model.state;
  const all = [...joins, ...jobs];
  return all[pick % Math.max(all.length, 1)]?.id ?? "nobody";
}

function filterOf(world: World, plan: SelectionPlan): JobFilter {
  const followers = world.model.state.jobs.filter((job) => job.after.length > 0);
  const before = plan.before === undefined ? undefined : followers[plan.before % Math.max(followers.length, 1)]?.id;
  return {
    ...(plan.states && { states: plan.states }),
    ...(plan.queue !== undefined && { queue: at(queues, plan.queue) }),
    ...(plan.task !== undefined && { task: at(plainTasks, plan.task) }),
    ...(plan.lane !== undefined && { lane: at(lanes, plan.lane).key }),
    ...(plan.unique !== undefined && { unique: at(uniques, plan.unique).key }),
    ...(plan.join !== undefined && { join: joinAt(world, plan.join) }),
    ...(plan.after !== undefined && { after: thingAt(world, plan.after) }),
    ...(plan.before !== undefined && { before: before ?? "nobody" }),
  };
}

function changeOf(command: ChangeCommand): Change {
  if (command.do === "cancel") return { do: "cancel", reason: "cancelled by test" };
  return command.do === "prioritise" ? { do: "prioritise", headStartMs: headStartOf(command.priority) } : { do: command.do };
}
