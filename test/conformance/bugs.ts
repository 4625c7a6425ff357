/** Planted bugs, and the laws that must go red for them. */
import type { EngineMaker } from "../../src/conformance/index.ts";
import type { JobRow, NewJob } from "../../src/core/engine.ts";
import { jobDiedName, subscriptionPrefix } from "../../src/core/notes.ts";
import { commitBugs } from "./commitBugs.ts";
import { composeBugs } from "./composeBugs.ts";
import { longBugs } from "./longBugs.ts";
import { flowBugs } from "./flowBugs.ts";
import { lockBugs } from "./lockBugs.ts";
import { reconcileBugs, scheduleBugs } from "./scheduleBugs.ts";
import { whyBugs } from "./whyBugs.ts";
import { togetherBugs } from "./togetherBugs.ts";
import * as plant from "./planted.ts";
import type { Distortion } from "./planted.ts";

export interface Bug {
  readonly name: string;
  readonly distortion: Distortion;
  /** The engine it is planted in. Default: memory. */
  readonly on?: EngineMaker;
  /** Names of laws: each of them is red with this bug. */
  readonly caughtBy: readonly string[];
}

let stored = 0;
const anotherId = <W extends { readonly id: string }>(work: W): W => ({ ...work, id: `${work.id}.${++stored}` });
const withMode = (is: string, mode: NonNullable<NewJob["unique"]>["mode"]): Distortion =>
  plant.jobs((job) => (job.unique?.mode.is === is ? { ...job, unique: { ...job.unique, mode } } : job));

const accepting: readonly Bug[] = [
  { name: "a job's id is not compared with those stored", distortion: plant.jobs(anotherId), caughtBy: ["the same id with the same content is the same job"] },
  { name: "an event's id is not compared with those stored", distortion: plant.works((work) => (work.kind === "event" ? anotherId(work) : work)), caughtBy: ["the same id again is the same event, and fans out once"] },
  { name: "an id's content is not compared", distortion: plant.works((work) => ({ ...work, content: "" })), caughtBy: ["the same id with another payload is refused as id-conflict, and changes nothing"] },
  { name: "an id is forgotten with its job", distortion: plant.works((work) => ({ ...work, rememberMs: 0 })), caughtBy: ["an id is remembered for 7 days, however short its job's retention"] },
  { name: "an atom falls apart", distortion: plant.atomsFallApart, caughtBy: ["one refused item of a call stores none of them"] },
  { name: "payloads are normalised", distortion: plant.payloads((payload) => payload.normalize("NFC")), caughtBy: ["a payload with composed and decomposed letters comes back equal"] },
  {
    name: "numbers are rounded to 14 digits",
    distortion: plant.payloads((payload) => JSON.stringify(JSON.parse(payload), (_, value: unknown) => (typeof value === "number" ? Number(value.toPrecision(14)) : value))),
    caughtBy: ["a payload with a fraction comes back equal", "a payload with the largest exact integer comes back equal"],
  },
  { name: "keys of payloads are sorted", distortion: plant.jobs((job) => ({ ...job, payload: sorted(job.payload) })), caughtBy: ["a payload with keys in their order comes back equal"] },
];

function sorted(payload: string): string {
  const value = JSON.parse(payload) as Record<string, unknown>;
  return JSON.stringify(value, (_, each: unknown) => (typeof each === "object" && each !== null && !Array.isArray(each) ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1))) : each));
}

const time: readonly Bug[] = [
  { name: "delays are forgotten", distortion: plant.jobs((job) => plant.without(job, "delayMs", "dueAt")), caughtBy: ["a job delayed by 10s does not start before", "a job for a stated instant does not start before it"] },
  { name: "retries and snoozes come at once", distortion: plant.outcomes((outcome) => ({ ...outcome, delayMs: 0 })), caughtBy: ["a retry does not come before its delay", "a snoozed job does not come before its delay"] },
  { name: "startBy is forgotten", distortion: plant.jobs((job) => plant.without(job, "startBy", "startWithinMs")), caughtBy: ["a job to be started within 10 s that was not is skipped, and says so"] },
  { name: "a subscription's delay is forgotten", distortion: plant.subscriptions((subscription) => ({ ...subscription, delayMs: 0 })), caughtBy: ["a subscription's delay lies between the event and its job"] },
  { name: "the store believes the caller's clock", distortion: plant.believesTheCaller, caughtBy: ["a worker ten minutes behind and a caller ten minutes ahead change nothing about a delay"] },
];

const keys: readonly Bug[] = [
  { name: "unique keys are not checked", distortion: plant.jobs((job) => plant.without(job, "unique")), caughtBy: ["keep: the second gets the id of the first, which stays as it is", "of many that enqueue one key at once one wins, and all get its id"] },
  { name: "replace keeps the old payload", distortion: withMode("replace", { is: "keep" }), caughtBy: ["replace: the waiting job takes the new payload and due time, and keeps its id"] },
  { name: "a throttle ends with its job", distortion: withMode("throttle", { is: "keep" }), caughtBy: ["throttle: the key outlives its job until the window ends"] },
  { name: "a debounce has no deadline", distortion: plant.jobs((job) => (job.unique?.mode.is === "debounce" ? { ...job, unique: { ...job.unique, mode: { ...job.unique.mode, atMostMs: 1e9 } } } : job)), caughtBy: ["debounce: it waits no longer than atMost, however often it is asked for"] },
  { name: "one-more is keep", distortion: withMode("one-more", { is: "keep" }), caughtBy: ["keep-one-more: one runs, one waits, a third gets the id of the one that waits"] },
  {
    name: "a loser gets its own id",
    distortion: (inner) => ({
      enqueue: async (atoms, at) => {
        const answers = await inner.enqueue(atoms, at);
        return answers.map((answer, a) => (answer instanceof Error ? answer : answer.map((each, w) => ({ ...each, id: atoms[a]?.works[w]?.id ?? each.id }))));
      },
    }),
    caughtBy: ["keep: the second gets the id of the first, which stays as it is"],
  },
  { name: "keys order nothing", distortion: plant.jobs((job) => plant.without(job, "lane")), caughtBy: ["jobs of a key start in order and one at a time, through retries", "jobs of a key start in order and one at a time, through delays"] },
  { name: "two of a key run at once", distortion: plant.jobs((job) => (job.lane ? { ...job, lane: { ...job.lane, width: 2 } } : job)), caughtBy: ["jobs of a key start in order and one at a time, through runs of different length", "one call of 200 jobs of a key, and four workers: one at a time, in order"] },
  { name: "a death never parks its key", distortion: plant.jobs((job) => (job.lane ? { ...job, lane: { ...job.lane, ifDead: "continue" } } : job)), caughtBy: ["ifDead park: after a death the key's jobs are parked, parked, parked", "ifDead block: after a death the key's jobs are parked, blocked, blocked"] },
  { name: "a blocked key is parked", distortion: plant.jobs((job) => (job.lane?.ifDead === "block" ? { ...job, lane: { ...job.lane, ifDead: "park" } } : job)), caughtBy: ["block: dropping the dead one lets the next start"] },
  { name: "urgency is ignored", distortion: plant.jobs((job) => ({ ...job, headStartMs: 0 })), caughtBy: ["a high job enqueued 0 s after a normal one starts before it", "120 jobs of all priorities and delays start in the order of their urgency"] },
  { name: "priority does not age", distortion: plant.jobs((job) => ({ ...job, headStartMs: job.headStartMs * 1_000 })), caughtBy: ["a high job enqueued 601 s after a normal one starts after it"] },
  { name: "prioritise changes nothing", distortion: plant.changesIgnored("prioritise", "prioritised"), caughtBy: ["prioritise puts a waiting job in its new place"] },
];

const running: readonly Bug[] = [
  { name: "a cancel of a running job is forgotten", distortion: plant.changesIgnored("cancel", "cancelling", "running"), caughtBy: ["a run that ignores its signal and returns does not end completed", "a cancelled run whose process dies is not run again"] },
  { name: "a worker does not hear of cancels", distortion: (inner) => ({ beat: async (process, leaseMs, at) => ({ ...(await inner.beat(process, leaseMs, at)), cancelled: [] }) }), caughtBy: ["cancelling a running job from another process aborts its signal within a heartbeat"] },
  { name: "a redrive changes nothing", distortion: plant.changesIgnored("retry", "retried"), caughtBy: ["a dead job that is redriven begins anew, with all its attempts; its history stays", "park: redriving the dead one runs it and all behind it, in order"] },
  { name: "a lease that was lost settles all the same", distortion: plant.settlesWhatWasLost, caughtBy: ['the store answers lease-lost to "completed" of a claim that was taken over, and changes nothing'] },
  { name: "a worker does not hear that it was taken over", distortion: (inner) => ({ beat: async (process, leaseMs, at) => ({ ...(await inner.beat(process, leaseMs, at)), isLost: false }) }), caughtBy: ["the signal of a run that was taken over is aborted with lease-lost"] },
  { name: "fences stand still", distortion: plant.fencesStandStill, caughtBy: ["fences grow with every claim, whatever process asks", "fences of a lock grow with every grant, and above the largest that the asker knows"] },
  { name: "a beat renews nothing", distortion: (inner) => ({ beat: async (process, _, at) => inner.beat(process, 0, at) }), caughtBy: ["a long run keeps its lease for as long as its process lives"] },
  { name: "dead workers' jobs are never taken back", distortion: (inner) => ({ tidy: (pass, at) => inner.tidy({ ...pass, mayExpire: false }, at) }), caughtBy: ["a worker killed 7999 ms into its run: another has its jobs within 10 s", "a crash costs no attempt, and the job runs again at once"] },
  { name: "dead workers' jobs are taken back once a minute", distortion: (inner) => ({ tidy: (pass, at) => inner.tidy({ ...pass, mayExpire: pass.mayExpire && (at.now ?? 0) % 60_000 < 1_500 }, at) }), caughtBy: ["a worker killed 61000 ms into its run: another has its jobs within 10 s"] },
  { name: "the fleet is expired by whoever comes back first", distortion: (inner) => ({ tidy: (pass, at) => inner.tidy({ ...pass, mayExpire: true }, at) }), caughtBy: ["a store that was away while long jobs ran: they keep their leases, though some workers reach it later than others"] },
  { name: "twice suspect jobs never get their run alone", distortion: (inner) => ({ claim: async (wanted, at) => (wanted.alone === "only" ? { ...(await inner.claim({ ...wanted, queues: [] }, at)), hasSuspects: false } : { ...(await inner.claim(wanted, at)), hasSuspects: false }) }), caughtBy: ["a job that kills its process is quarantined after 4 deaths at most, and says why"] },
  { name: "a graceful release costs an attempt", distortion: plant.outcomes((outcome) => (outcome.is === "released" ? { ...outcome, is: "retry", delayMs: 0 } : outcome)), caughtBy: ["a graceful stop charges nothing: no attempt, no start, no suspicion", "ten graceful stops do not make a job suspect"] },
  { name: "a snooze costs an attempt", distortion: plant.outcomes((outcome) => (outcome.is === "snoozed" ? { ...outcome, is: "retry" } : outcome)), caughtBy: ["a snooze costs no attempt, however often"] },
  { name: "a skip is a completion", distortion: plant.outcomes((outcome) => (outcome.is === "skipped" ? { ...outcome, is: "completed" } : outcome)), caughtBy: ["a reason from unless skips the job, and run does not start", "skipped jobs are counted and listed apart from completed ones"] },
  { name: "follow-up work is forgotten", distortion: plant.outcomes((outcome) => plant.without(outcome, "follow")), caughtBy: ["of a run that completes, all that it handed in is stored"] },
  { name: "follow-up work is stored whatever becomes of the outcome", distortion: plant.followsApart, caughtBy: ["the store stores no follow-up work of a claim that was taken over", "what a cancelled run handed in is not stored"] },
  { name: "errors are not recorded", distortion: plant.outcomes((outcome) => plant.without(outcome, "error")), caughtBy: ["a job whose attempts are exhausted is dead, with the last error"] },
  { name: "jobs of unknown tasks are handed out", distortion: (inner) => ({ claim: async (wanted, at) => inner.claim({ ...wanted, tasks: [...new Set([...wanted.tasks, ...(await inner.count(at)).map((row) => row.task)])] }, at) }), caughtBy: ["a job of a task that no worker knows is left alone, untouched"] },
  { name: "hands are not counted", distortion: (inner) => ({ claim: (wanted, at) => inner.claim({ ...wanted, queues: wanted.queues.map((queue) => ({ ...queue, ahead: 500 })) }, at) }), caughtBy: ["of claims at the same moment each gets jobs of its own, and none more than it has hands for"] },
];

const telling: readonly Bug[] = [
  { name: "fan-out passes one subscription over", distortion: plant.subscriptions((subscription) => (subscription.task === "bill" ? undefined : subscription)), caughtBy: ["each subscription gets one job for each event", "a publisher without the subscribers' code fans out to them"] },
  { name: "fan-out forgets the order of mapped events", distortion: plant.works((work) => (work.kind === "event" ? plant.without(work, "orderedBy") : work)), caughtBy: ["mapped events of one key reach their task in the order of publishing, though mappings fail at first"] },
  { name: "fan-out forgets the subscriber's key", distortion: plant.subscriptions((subscription) => plant.without(subscription, "orderedBy")), caughtBy: ["events of one key reach an ordered task in the order of publishing"] },
  { name: "fan-out forgets the subscriber's unique key", distortion: plant.subscriptions((subscription) => plant.without(subscription, "uniqueBy")), caughtBy: ["an event joins the live job that its task's uniqueBy names"] },
  { name: "history is not replayed", distortion: plant.subscriptions((subscription) => ({ ...subscription, since: "now" })), caughtBy: ["a new subscription since beginning gets 20 of 10 old events and 10 new ones, each once", "2,500 old events reach a new subscriber, in passes"] },
  { name: "history is given to those who did not ask", distortion: plant.subscriptions((subscription) => ({ ...subscription, since: "beginning" })), caughtBy: ["a new subscription since now gets 10 of 10 old events and 10 new ones, each once"] },
  { name: "history is doubled under fresh ids", distortion: plant.doublesHistory, caughtBy: ["a new subscription since beginning gets 20 of 10 old events and 10 new ones, each once"] },
  { name: "unsubscribe is forgotten", distortion: plant.notes((note) => (note.key.startsWith(subscriptionPrefix) && note.value === undefined ? undefined : note)), caughtBy: ["unsubscribe retires a subscription; what it had got still runs"] },
  { name: "a death is not announced", distortion: plant.subscriptions((subscription) => (subscription.event === jobDiedName ? undefined : subscription)), caughtBy: ["a death is announced once, with what is known of it", "a quarantine is announced once, as poison"] },
  { name: "alerts alert of themselves", distortion: plant.alertsOfAlerts, caughtBy: ["an alert that dies makes no further alert"] },
  { name: "a pause is forgotten", distortion: plant.notes((note) => (note.key.startsWith("pause/") ? undefined : note)), caughtBy: ['pausing {"queue":"mail"} holds its jobs in every process, and no others, until it is resumed', "why names the pause and its reason"] },
  { name: "retention removes at once", distortion: plant.jobs((job) => ({ ...job, keep: { completed: 0, skipped: 0, cancelled: 0, dead: 0 } })), caughtBy: ["a completed job is kept for as long as its task says, and then removed", "a dead job is kept for as long as its task says, and then removed"] },
  { name: "retention removes nothing", distortion: plant.jobs((job) => ({ ...job, keep: plant.keeping(1e12)(job.keep) })), caughtBy: ["a skipped job is kept for as long as its task says, and then removed", "3,000 jobs past their retention are gone after some passes, and no others"] },
  { name: "retention removes what lives", distortion: plant.removesTheOld, caughtBy: ["what lives is never removed, however old"] },
  { name: "counts drift", distortion: drifting(), caughtBy: ["counts equal what is listed, after 10,000 random operations"] },
  { name: "a page begins again", distortion: (inner) => ({ find: (query, at) => inner.find("after" in query && query.of === "jobs" ? plant.without(query, "after" as never) : query, at) }), caughtBy: ["pages cover every job once, in the order of enqueue"] },
  { name: "newest first is ignored", distortion: (inner) => ({ find: (query, at) => inner.find("newestFirst" in query ? { ...query, newestFirst: false } : query, at) }), caughtBy: ["pages go newest first where asked for"] },
  { name: "a change has no limit", distortion: (inner) => ({ change: (which, change, _, at) => inner.change(which, change, 1_000, at) }), caughtBy: ["a change takes no more jobs than its limit, and says that there may be more"] },
  { name: "readers do not share a lock", distortion: (inner) => ({ lock: (request, at) => inner.lock({ ...request, mode: "write" }, at) }), caughtBy: ["readers share, and keep a writer out"] },
  { name: "a lock has two writers", distortion: (inner) => ({ lock: (request, at) => inner.lock({ ...request, permits: 2 }, at) }), caughtBy: ["a writer's lock is granted to one, and to the next when it is given back"] },
];

function drifting(): Distortion {
  return (inner) => {
    let counts = 0;
    return { count: async (at) => (await inner.count(at)).map((row, index) => ({ ...row, jobs: row.jobs + (index === 0 && ++counts > 3 ? 1 : 0) })) };
  };
}

let newer = 0;
const unscoped = (key: string): string => key.slice(key.indexOf("["));

const confused: readonly Bug[] = [
  { name: "a unique key is never free again", distortion: plant.jobs((job) => (job.unique ? { ...job, unique: { ...job.unique, mode: { is: "throttle", windowMs: 1e9 } } } : job)), caughtBy: ["a key is free when its job has ended", "a cancelled job frees its key", "a skipped job frees its unique key, and lets the next of its key start"] },
  { name: "unique keys of all tasks are one", distortion: plant.jobs((job) => (job.unique ? { ...job, unique: { ...job.unique, key: unscoped(job.unique.key) } } : job)), caughtBy: ["other keys and other tasks are not concerned"] },
  { name: "order keys of all tasks are one", distortion: plant.jobs((job) => (job.lane ? { ...job, lane: { ...job.lane, key: unscoped(job.lane.key) } } : job)), caughtBy: ["jobs of one key but of two tasks do not wait for each other"] },
  { name: "the last one in is the first one out", distortion: plant.jobs((job) => ({ ...job, headStartMs: job.headStartMs + ++newer })), caughtBy: ["jobs of one priority start in the order of enqueue", "a high job enqueued 0 s after a high one starts after it"] },
  { name: "all queues are one", distortion: plant.jobs((job) => ({ ...job, queue: "default" })), caughtBy: ["queues do not share hands: a full one holds up no other", "a job in a queue that no worker serves waits for one that does"] },
  { name: "a cancel of a waiting job is forgotten", distortion: plant.changesIgnored("cancel", "cancelled"), caughtBy: ["cancelling a ready job answers cancelled, and no run starts", "cancelling a scheduled job answers cancelled, and no run starts"] },
  { name: "a job is handed out twice", distortion: plant.handsOutTwice, caughtBy: ["of 300 jobs and three workers none runs twice"] },
  { name: "a late settle is refused though nobody took the job", distortion: plant.refusesTheLate, caughtBy: ["a lease that expired and that nobody took may still settle"] },
  { name: "empty arrays become empty objects", distortion: plant.payloads((payload) => payload.replaceAll("[]", "{}")), caughtBy: ["a payload with an empty array comes back equal", "a payload with nested empties comes back equal"] },
  { name: "a text ends at its first NUL", distortion: plant.payloads((payload) => payload.replaceAll("\\u0000", "")), caughtBy: ["a payload with control characters comes back equal"] },
  { name: "bytes are read as latin1", distortion: plant.payloads((payload) => Buffer.from(payload, "latin1").toString("latin1")), caughtBy: ["a payload with an emoji comes back equal", "a payload with keys of other scripts comes back equal"] },
  { name: "where a job came from is forgotten", distortion: (inner) => ({ find: async (query, at) => withRows(await inner.find(query, at), (row) => plant.without(row as JobRow, "from")) }), caughtBy: ["a job tells the event and the subscription it came from"] },
  { name: "every queue is counted as one", distortion: (inner) => ({ count: async (at) => (await inner.count(at)).map((row) => ({ ...row, queue: "default" })) }), caughtBy: ["counts are told apart by queue and task"] },
];

function withRows<P extends { readonly rows: readonly unknown[] }>(page: P, change: (row: unknown) => unknown): P {
  return { ...page, rows: page.rows.map(change) };
}

export const bugs: readonly Bug[] = [...accepting, ...time, ...keys, ...running, ...telling, ...confused, ...composeBugs, ...commitBugs, ...lockBugs, ...scheduleBugs, ...reconcileBugs, ...flowBugs, ...longBugs, ...togetherBugs, ...whyBugs];
