/** Turns the numbers of a command into what the port takes: names of queues, lanes, keys, and the values that go with them. */
import { contentOf } from "../../src/core/keys.ts";
import { jobDiedName, limitKey, pausedQueue, pausedTask, resourceKey } from "../../src/core/notes.ts";
import type { StoredLimit, StoredResource, StoredSubscription } from "../../src/core/notes.ts";
import type { Keep, KeyLimit, LaneMembership, NewEvent, NoteWrite, TaskTerms, Uniqueness } from "../../src/core/engine.ts";
import type { Instant } from "../../src/core/runtime.ts";
import type { EventPlan } from "./commands.ts";

// Delays and passes are multiples of 50; limits that the port words without saying what holds at the very instant are not.
export const leaseMs = 10_003;
export const rememberMs = 5_003;
const day = 86_400_003;

export const queues: readonly string[] = ["q1", "q2"];
export const plainTasks: readonly string[] = ["t1", "t2", "t3"];
const handlerTasks = ["h0", "h1", "h2", "h3", "h4"];
export const tasks: readonly string[] = [...plainTasks, ...handlerTasks];
export const locks: readonly { readonly name: string; readonly permits: number }[] = [
  { name: "one", permits: 1 },
  { name: "two", permits: 2 },
];
export const plainNotes: readonly string[] = ["plain/a", "plain/b", pausedTask("t3")];
export const pauses: readonly string[] = [pausedQueue("q1"), pausedTask("t1"), pausedQueue("q2")];

const headStarts = [0, 300, -300];
export const keeps: readonly Keep[] = [
  { completed: day, skipped: day, cancelled: 2 * day, dead: 3 * day },
  { completed: 0, skipped: 0, cancelled: 0, dead: 0 },
  { completed: 97, skipped: 197, cancelled: 297, dead: 397 },
];
export const lanes: readonly LaneMembership[] = [
  { key: "park-1", width: 1, ifDead: "park" },
  { key: "block-1", width: 1, ifDead: "block" },
  { key: "continue-1", width: 1, ifDead: "continue" },
  { key: "park-2", width: 2, ifDead: "park" },
  { key: "block-2", width: 2, ifDead: "block" },
  { key: "continue-3", width: 3, ifDead: "continue" },
  { key: "other-1", width: 1, ifDead: "park" },
];
export const uniques: readonly Uniqueness[] = [
  { key: "keep", mode: { is: "keep" } },
  { key: "replace", mode: { is: "replace" } },
  { key: "debounce", mode: { is: "debounce", quietMs: 100, atMostMs: 250 } },
  { key: "throttle", mode: { is: "throttle", windowMs: 1_203 } },
  { key: "one-more", mode: { is: "one-more" } },
  { key: "replace-2", mode: { is: "replace" } },
  { key: "throttle-2", mode: { is: "throttle", windowMs: 5_003 } },
  { key: "gather", mode: { is: "gather", quietMs: 100, atMostMs: 250, most: 3 } },
  { key: "gather", mode: { is: "keep" } },
];
/** One kind and one window for each key; its numbers differ. */
const keyLimitSets: readonly (readonly KeyLimit[])[] = [
  [{ key: "run", is: { running: 1 } }],
  [{ key: "run", is: { running: 2 } }],
  [{ key: "rate", is: { starts: 1, everyMs: 203 } }],
  [{ key: "rate", is: { starts: 2, everyMs: 203 } }],
  [
    { key: "run", is: { running: 1 } },
    { key: "rate", is: { starts: 1, everyMs: 203 } },
  ],
  [
    { key: "slow", is: { starts: 2, everyMs: 1_203 } },
    { key: "run", is: { running: 2 } },
  ],
  [
    { key: "wide", is: { running: 2 } },
    { key: "run", is: { running: 1 } },
  ],
  [{ key: "slow", is: { starts: 1, everyMs: 1_203 } }],
];
/** What workers know of their tasks' gates; the numbers stand in notes. */
const termSets: readonly ((now: Instant) => Readonly<Record<string, TaskTerms>>)[] = [
  () => ({ t1: { gates: ["run"] }, t2: { gates: ["run", "rate"] } }),
  () => ({ t1: { needs: { gpu: 1 } }, t2: { needs: { gpu: 2, mail: 1 } } }),
  (now) => ({ t1: { most: 1 }, t2: { freshFrom: now - 100 }, t3: { freshFrom: now, most: 3 } }),
  () => Object.fromEntries(tasks.map((task) => [task, { gates: ["rate"] }])),
  () => ({ t1: { gates: ["slow"], needs: { gpu: 1 } }, t2: { gates: ["run"], most: 2 }, t3: { gates: ["slow", "run"] } }),
  () => ({ t1: { retriesMost: 0 }, t2: { retriesMost: 1 }, t3: { retriesMost: 1, most: 2, gates: ["run"] } }),
  (now) => ({ t1: { retriesMost: 1, freshFrom: now - 100 }, t2: { retriesMost: 0, freshFrom: now }, t3: { retriesMost: 2, needs: { gpu: 1 } } }),
];
export const gateNames: readonly string[] = ["run", "rate", "slow", "gpu", "mail"];
/** A window's limit stays once it is written: what it remembers of starts without it is nobody's. */
const limitNotes: readonly { readonly key: string; readonly mayGo: boolean; readonly value: (number: number) => StoredLimit | StoredResource }[] = [
  { key: limitKey("run"), mayGo: true, value: (number) => ({ running: 1 + number }) },
  { key: limitKey("rate"), mayGo: false, value: (number) => ({ starts: 1 + number, everyMs: 1_500 }) },
  { key: limitKey("slow"), mayGo: false, value: (number) => ({ starts: 1 + number, everyMs: 12_000 }) },
  { key: resourceKey("gpu"), mayGo: true, value: (number) => ({ capacity: 1 + number }) },
  { key: resourceKey("mail"), mayGo: true, value: (number) => ({ capacity: number }) },
];

/** For most keys the greatest number that any job has of them. */
export const keyLimitMost = (key: string): number =>
  Math.max(...keyLimitSets.flat().map((limit) => (limit.key === key ? ("running" in limit.is ? limit.is.running : limit.is.starts) : 0)));
export const keyLimitsOf = (index: number): readonly KeyLimit[] => at(keyLimitSets, index);
export const termsOf = (index: number, now: Instant): Readonly<Record<string, TaskTerms>> => at(termSets, index)(now);
export const isGathered = (uniqueKey: string): boolean => uniqueKey.startsWith("gather");

export function limitNote(what: number, number: number | undefined): NoteWrite {
  const { key, mayGo, value } = at(limitNotes, what);
  return { key, value: number === undefined && mayGo ? undefined : JSON.stringify(value(number ?? 0)) };
}

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
      { keyLimits: [{ scope: "per", per: [isOfDeaths ? "task" : "order"], is: { running: 1 }, except: { 1: 2 } }] },
    ],
    variant,
  );
}
