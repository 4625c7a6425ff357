/** Turns the numbers of a command into what the port takes: names of queues, lanes, keys, and the values that go with them. */
import { contentOf } from "../../src/core/keys.ts";
import { jobDiedName, pausedQueue, pausedTask } from "../../src/core/notes.ts";
import type { StoredSubscription } from "../../src/core/notes.ts";
import type { JobFilter, Keep, LaneMembership, NewEvent, NewJob, Uniqueness } from "../../src/core/engine.ts";
import type { Instant } from "../../src/core/runtime.ts";
import type { EventPlan, JobPlan, SelectionPlan } from "./commands.ts";

// Delays and passes are multiples of 50; limits that the port words without saying what holds at the very instant are not.
export const leaseMs = 10_003;
const rememberMs = 5_003;
const day = 86_400_003;

export const queues: readonly string[] = ["q1", "q2"];
const plainTasks = ["t1", "t2", "t3"];
const handlerTasks = ["h0", "h1", "h2", "h3", "h4"];
export const tasks: readonly string[] = [...plainTasks, ...handlerTasks];
export const locks: readonly { readonly name: string; readonly permits: number }[] = [
  { name: "one", permits: 1 },
  { name: "two", permits: 2 },
];
export const plainNotes: readonly string[] = ["plain/a", "plain/b", pausedTask("t3")];
export const pauses: readonly string[] = [pausedQueue("q1"), pausedTask("t1"), pausedQueue("q2")];

const headStarts = [0, 300, -300];
const keeps: readonly Keep[] = [
  { completed: day, skipped: day, cancelled: 2 * day, dead: 3 * day },
  { completed: 0, skipped: 0, cancelled: 0, dead: 0 },
  { completed: 97, skipped: 197, cancelled: 297, dead: 397 },
];
const lanes: readonly LaneMembership[] = [
  { key: "park-1", width: 1, ifDead: "park" },
  { key: "block-1", width: 1, ifDead: "block" },
  { key: "continue-1", width: 1, ifDead: "continue" },
  { key: "park-2", width: 2, ifDead: "park" },
  { key: "block-2", width: 2, ifDead: "block" },
  { key: "continue-3", width: 3, ifDead: "continue" },
  { key: "other-1", width: 1, ifDead: "park" },
];
const uniques: readonly Uniqueness[] = [
  { key: "keep", mode: { is: "keep" } },
  { key: "replace", mode: { is: "replace" } },
  { key: "debounce", mode: { is: "debounce", quietMs: 100, atMostMs: 250 } },
  { key: "throttle", mode: { is: "throttle", windowMs: 1_203 } },
  { key: "one-more", mode: { is: "one-more" } },
  { key: "replace-2", mode: { is: "replace" } },
  { key: "throttle-2", mode: { is: "throttle", windowMs: 5_003 } },
];

export const laneWidth = (key: string): number => lanes.find((lane) => lane.key === key)?.width ?? 1;
export const isOneMore = (uniqueKey: string): boolean => uniqueKey === "one-more" || uniqueKey.includes("more-");

export const at = <T>(list: readonly T[], index: number): T => {
  const value = list[index % list.length];
  if (value === undefined) throw new RangeError("an empty list");
  return value;
};

export function headStartOf(priority: number | undefined): number {
  return at(headStarts, priority ?? 0);
}

/** The jobs of one atom. */
export function newJobs(plans: readonly JobPlan[], freshId: () => string, now: Instant): NewJob[] {
  return withClearIds(plans).map((plan) => newJob(plan, freshId(), now));
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

function newJob(plan: JobPlan, ownId: string, now: Instant): NewJob {
  const task = at(plainTasks, plan.task);
  const payload = JSON.stringify({ content: plan.content ?? 0 });
  const unique = plan.unique === undefined ? undefined : at(uniques, plan.unique);
  const lane = laneOf(plan, unique);
  return {
    kind: "job",
    task,
    payload,
    queue: at(queues, plan.queue),
    content: contentOf(task, payload),
    headStartMs: headStartOf(plan.priority),
    keep: at(keeps, plan.keep ?? 0),
    ...(plan.id === undefined ? { id: ownId, rememberMs: 0 } : { id: `named-${plan.id}`, rememberMs }),
    ...(plan.delayMs !== undefined && { delayMs: plan.delayMs }),
    ...(plan.dueInMs !== undefined && plan.delayMs === undefined && { dueAt: now + plan.dueInMs }),
    ...(plan.startWithinMs !== undefined && { startWithinMs: plan.startWithinMs }),
    ...(plan.startByInMs !== undefined && plan.startWithinMs === undefined && { startBy: now + plan.startByInMs }),
    ...(lane && { lane }),
    ...(unique && { unique }),
    ...(plan.hasExtras && { expecting: JSON.stringify({ version: plan.content ?? 0 }), version: 3, slot: { schedule: "nightly", at: now - 7 } }),
  };
}

/** One-more lets one wait while one runs: its key is a lane as well, as the core makes it. */
function laneOf(plan: JobPlan, unique: Uniqueness | undefined): LaneMembership | undefined {
  if (unique?.mode.is === "one-more") return { key: unique.key, width: 1, ifDead: "continue" };
  return plan.lane === undefined ? undefined : at(lanes, plan.lane);
}

/** Each field serves one kind of key only, so that a lane has one policy and a unique key one mode. */
export function newEvent(plan: EventPlan, ownId: string): NewEvent {
  const name = at(["placed", "paid"], plan.event);
  const payload = JSON.stringify({
    order: plan.key,
    keep: `keep-${plan.key}`,
    debounce: `debounce-${plan.key}`,
    replace: `replace-${plan.key}`,
    more: `more-${plan.key}`,
  });
  return {
    kind: "event",
    name,
    payload,
    content: contentOf(name, payload),
    ...(plan.id === undefined ? { id: ownId, rememberMs: 0 } : { id: `event-${plan.id}`, rememberMs }),
    ...(plan.isOrdered && { orderedBy: ["order"] }),
  };
}

export const subscriptionName = (subscription: number): string => `s${subscription % 5}`;

export function storedSubscription(number: number, variant: number): StoredSubscription {
  const index = number % 5;
  const event = at(["placed", "placed", "paid", jobDiedName, "paid"], index);
  const ifDead = at(["park", "block", "continue", "park", "block"] as const, index);
  return {
    name: subscriptionName(number),
    event,
    since: index === 1 || index === 4 ? "beginning" : "now",
    task: at(handlerTasks, index),
    queue: at(queues, index),
    headStartMs: 0,
    delayMs: 0,
    isMapped: false,
    keep: at(keeps, index),
    ifDead,
    ...variantOf(variant, event === jobDiedName),
  };
}

function variantOf(variant: number, isOfDeaths: boolean): Partial<StoredSubscription> {
  const orderedBy = [isOfDeaths ? "queue" : "order"];
  return at<Partial<StoredSubscription>>(
    [
      {},
      { orderedBy },
      { uniqueBy: [isOfDeaths ? "task" : "keep"] },
      { uniqueBy: ["debounce"], uniqueMode: { is: "debounce", quietMs: 100, atMostMs: 250 } },
      { isMapped: true, delayMs: 50 },
      { uniqueBy: ["replace"], uniqueMode: { is: "replace" }, delayMs: 100, orderedBy },
      { uniqueBy: ["more"], uniqueMode: { is: "one-more" }, headStartMs: 300, version: 2 },
    ],
    variant,
  );
}

export function filterOf(plan: SelectionPlan): JobFilter {
  return {
    ...(plan.states && { states: plan.states }),
    ...(plan.queue !== undefined && { queue: at(queues, plan.queue) }),
    ...(plan.task !== undefined && { task: at(plainTasks, plan.task) }),
    ...(plan.lane !== undefined && { lane: at(lanes, plan.lane).key }),
    ...(plan.unique !== undefined && { unique: at(uniques, plan.unique).key }),
  };
}
