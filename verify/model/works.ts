/** Turns the plans of jobs and joins into what the port takes, among what is stored already. */
import { contentOf } from "../../src/core/keys.ts";
import type { After, LaneMembership, NewJob, NewJoin, NewWork, Uniqueness } from "../../src/core/engine.ts";
import type { AfterPlan, Command, InnerPlan, JobPlan, JoinPlan } from "./commands.ts";
import { at, headStartOf, keeps, keyLimitsOf, lanes, leaseMs, plainTasks, queues, rememberMs, termsOf, uniques } from "./plans.ts";
import { isLive, jobWithId, joinsOf } from "./state.ts";
import type { ModelJoin } from "./state.ts";
import type { World } from "./world.ts";

type StagePlan = Extract<Command, { do: "stage" }>;

/** `joins`: those that the jobs may be made members of. */
export function newJobs(world: World, plans: readonly JobPlan[], joins: readonly ModelJoin[]): NewJob[] {
  const jobs: NewJob[] = [];
  for (const plan of withClearIds(plans)) {
    const join = plan.join === undefined ? undefined : joins[plan.join % Math.max(joins.length, 1)]?.id;
    jobs.push(newJob(world, plan, { join, previous: jobs.at(-1)?.id }));
  }
  return jobs;
}

/** The join, its members and the joins within it, and what comes after it. */
export function newJoin(world: World, plan: JoinPlan): NewWork[] {
  const id = world.fresh("b");
  const parent = plan.join === undefined ? undefined : openTo(world)[plan.join % Math.max(openTo(world).length, 1)]?.id;
  const after = aftersOf(world, plan.after, undefined);
  const members = newMembers(world, id, plan.members);
  const inner = (plan.inner ?? []).flatMap((one) => innerJoin(world, id, one));
  const given = members.length + (plan.inner ?? []).length;
  const made = joinOf(world, id, !plan.isStaged, {
    ...(plan.size && { size: given + (plan.size === "more" ? 1 : 0) }),
    ...(parent !== undefined && { join: parent }),
    ...(after.length > 0 && { after }),
  });
  const callbacks = (plan.callbacks ?? []).map(({ when, job }) => ({ ...newJob(world, withoutId(job), {}), after: [{ id, when: whenOf(when) }] }));
  return [made, ...members, ...inner, ...callbacks];
}

/** Without ids of the callers': the same id twice in one atom is for those beside the join. */
function newMembers(world: World, join: string, plans: readonly JobPlan[]): NewJob[] {
  return plans.map((plan) => newJob(world, withoutId(plan), { join }));
}

export function joinOf(world: World, id: string, isSealed: boolean, more: Partial<NewJoin> = {}): NewJoin {
  if (!world.joinIds.includes(id)) world.joinIds.push(id);
  return { kind: "join", id, content: contentOf("batch", id), rememberMs: 0, name: "batch", isSealed, ...more };
}

const withoutId = ({ id: _, ...plan }: JobPlan): JobPlan => plan;

/** More for a join that is staged, and its sealing. */
export function newStage(world: World, join: ModelJoin, plan: StagePlan): NewWork[] {
  const members = newMembers(world, join.id, plan.members);
  const size = join.given + members.length + (plan.size === "more" ? 1 : 0);
  const around = join.join === undefined ? {} : { join: join.join };
  return [...members, joinOf(world, join.id, plan.isSealed ?? false, { ...around, ...(plan.size && plan.isSealed && { size }) })];
}

/** What an outcome hands over: members of its job's own joins, or what comes after something. */
export function newFollow(world: World, plans: readonly JobPlan[], jobId: string): NewWork[] {
  const job = jobWithId(world.model.state, jobId);
  const free = plans.map(({ lease: _, ...plan }) => plan);
  return newJobs(world, free, job === undefined ? [] : joinsOf(world.model.state, job));
}

/** The joins that take members. */
export function openTo(world: World): ModelJoin[] {
  return world.model.state.joins.filter((join) => join.closedAs === undefined && !join.isCancelled);
}

function innerJoin(world: World, parent: string, plan: InnerPlan): NewWork[] {
  const id = world.fresh("b");
  return [joinOf(world, id, !plan.isStaged, { join: parent }), ...newMembers(world, id, plan.members)];
}

interface Place {
  readonly join?: string | undefined;
  readonly previous?: string | undefined;
}

function newJob(world: World, plan: JobPlan, { join, previous }: Place): NewJob {
  const task = at(plainTasks, plan.task);
  const unique = plan.unique === undefined ? undefined : at(uniques, plan.unique);
  const element = { content: plan.content ?? 0 };
  const payload = JSON.stringify(unique?.key === "gather" ? [element] : element);
  const lane = laneOf(plan, unique);
  const after = aftersOf(world, plan.after, previous);
  return {
    kind: "job",
    task,
    payload,
    queue: at(queues, plan.queue),
    content: contentOf(task, payload),
    headStartMs: headStartOf(plan.priority),
    keep: at(keeps, plan.keep ?? 0),
    ...idOf(world, plan),
    ...(plan.delayMs !== undefined && { delayMs: plan.delayMs }),
    ...(plan.dueInMs !== undefined && plan.delayMs === undefined && { dueAt: world.now + plan.dueInMs }),
    ...(plan.startWithinMs !== undefined && { startWithinMs: plan.startWithinMs }),
    ...(plan.startByInMs !== undefined && plan.startWithinMs === undefined && { startBy: world.now + plan.startByInMs }),
    ...(lane && { lane }),
    ...(unique && { unique }),
    ...(plan.keyLimits !== undefined && { keyLimits: keyLimitsOf(plan.keyLimits) }),
    ...(join !== undefined && { join }),
    ...(after.length > 0 && { after }),
    ...(plan.lease !== undefined && { lease: leaseOf(world, plan.lease, task, plan.terms) }),
    ...(plan.hasExtras && { expecting: JSON.stringify({ version: plan.content ?? 0 }), version: 3, slot: { schedule: "nightly", at: world.now - 7 } }),
  };
}

/** A named id whose job is gone is used again only where nothing remembers it as a member or a predecessor. */
function idOf(world: World, plan: JobPlan): Pick<NewJob, "id" | "rememberMs"> {
  const id = `named-${plan.id}`;
  const { gone, joins, jobs } = world.model.state;
  const isNamed = joins.some((join) => join.members.some((member) => member.id === id)) || jobs.some((job) => job.after.some((one) => one.id === id));
  const mayBe = plan.id !== undefined && !(isNamed && gone.some((one) => one.id === id) && !jobs.some((job) => job.id === id));
  return mayBe ? { id, rememberMs } : { id: world.fresh("j"), rememberMs: 0 };
}

/** Those that have not ended, or all there ever were; what is named twice counts once. */
function aftersOf(world: World, plans: readonly AfterPlan[] = [], previous: string | undefined): After[] {
  const { jobs, joins } = world.model.state;
  const all = [...jobs, ...joins].toSorted((a, b) => a.seq - b.seq);
  const live = all.filter((one) => ("closedAs" in one ? one.closedAs === undefined : isLive(one)));
  const chosen = plans.flatMap(({ of, pick = 0, when }) => {
    const among = of === "live" ? live : all;
    const id = of === "previous" ? previous : of === "unknown" ? "nobody" : among[pick % Math.max(among.length, 1)]?.id;
    return id === undefined ? [] : [{ id, when: whenOf(when) }];
  });
  return chosen.filter((one, index) => chosen.findIndex((other) => other.id === one.id) === index);
}

const whenOf = (when: number): After["when"] => at(["well", "badly", "ended"] as const, when);

function leaseOf(world: World, slot: number, task: string, index: number | undefined): NonNullable<NewJob["lease"]> {
  const process = world.worker(slot);
  if (index !== undefined) world.hasGates = true;
  const { gates, needs, retriesMost, freshFrom } = (index === undefined ? undefined : termsOf(index, world.now)[task]) ?? {};
  const terms = {
    ...(gates && { gates }),
    ...(needs && { needs }),
    ...(retriesMost !== undefined && { retriesMost }),
    ...(freshFrom !== undefined && { freshFrom }),
  };
  return { process, leaseMs, claim: world.fresh("c"), lastFence: world.lastFence(process), ...(index !== undefined && { terms }) };
}

/** One-more lets one wait while one runs: its key is a lane as well, as the core makes it. */
function laneOf(plan: JobPlan, unique: Uniqueness | undefined): LaneMembership | undefined {
  if (unique?.mode.is === "one-more") return { key: unique.key, width: 1, ifDead: "continue" };
  return plan.lane === undefined ? undefined : at(lanes, plan.lane);
}

/** What the same id twice in one atom means where a unique key comes between is left open: then all but the first have ids of their own. */
function withClearIds(jobs: readonly JobPlan[]): readonly JobPlan[] {
  if (
    jobs.every((job) => job.unique === undefined) &&
    new Set(jobs.filter((job) => job.id !== undefined).map((job) => `${job.task} ${job.content ?? 0}`)).size <= 1
  )
    return jobs;
  const firstNamed = jobs.findIndex((job) => job.id !== undefined);
  const isReplaced = jobs.some((job, index) => job.unique !== undefined && index !== firstNamed);
  return jobs.map(({ id, ...job }, index) => (id === undefined || isReplaced || index !== firstNamed ? job : { ...job, id }));
}
