/**
 * Redis over three partitions in the stream, beside memory. It is held to all that one small store does but for what stands in its guarantees as weaker between partitions
 * (src/redis/guarantees.ts), and what the port leaves to an engine. Where that decides what is stored from then on, the commands leave it out; else the comparison does:
 * here, and nowhere else.
 *
 *   G6   an id is compared where the job's keys lead: a job that is named has none, an event one value. One that waits for a join or a predecessor comes to its unique
 *        key later: it has none. One that may be rewritten has lane and limits in the partition of its key, and is rewritten to the same: its id is compared where it was.
 *   G7   what one call stores at once takes any one order: a call has one job of each lane, key and limit, and one event. Who waited elsewhere comes to its lane later:
 *        it has none.
 *   G8   urgency holds within a partition: claims ask for all there is, and what they hand out is a set; none asks for one that runs alone, or under terms that bound how
 *        many. What goes on to another partition meanwhile comes with the next claim, which is asked for at once; when something is due next, with a later one.
 *   G9   limits over all keys are lent: no terms. Those of several keys are passed in the order of their names: one to a job, in the partition of its other keys.
 *   G11  several predecessors are waited for partition by partition: a job or a join has one, a member none. What goes elsewhere is not refused there: a call has one batch,
 *        member or successor, and none beside notes.
 *   G19  lists go by the clocks of partitions, pages and changes with a limit with them: they are sets, all pages together, and changes have no limit. Of members that
 *        have ended, and of what others come after, less is told in lists and counts.
 *
 * An engine's own in any case: fences, and the ids that derive from them (of deaths, whose subscribers are left out); whether a claim renews a lease, of which here all
 * are renewed; whether a claim or tidy skips what is too late; in which order history is replayed, for which subscriptions have no keys; how a job stands that somebody
 * else has, in an answer; since when a process is known that holds nothing. Not asked for: a birth with a lease.
 */
import type * as port from "../../src/core/engine.ts";
import type { AtomPlan, Command, JobPlan, JoinPlan, OutcomePlan } from "../model/commands.ts";
import { jobDiedName } from "../../src/core/notes.ts";
import { isEnded } from "../../src/core/states.ts";
import { homeOfName } from "../../src/redis/spread/routing.ts";
import { sorted } from "../model/compare.ts";
import { must } from "../model/divergence.ts";
import { at, isGathered, keyLimitsOf, lanes, uniques } from "../model/plans.ts";
import type { View } from "../model/view.ts";
import { Wrapped } from "../model/wrapped.ts";

export const partitions = 3;
export const rowsMost = 1_000;

/** A command as several partitions can be held to it; none: not at all. */
export function narrowed(command: Command): readonly Command[] {
  const narrowing = new Narrowing();
  switch (command.do) {
    case "enqueue":
      return [{ ...command, atoms: command.atoms.map((atom) => narrowing.atom(atom)) }];
    case "stage":
      return [{ ...command, members: command.members.map((job) => narrowing.job(job, true)) }];
    case "claim":
      return command.isAlone ? [] : [narrowedClaim(command, narrowing)];
    case "settle":
      return [{ ...command, outcomes: command.outcomes.map((outcome) => narrowing.outcome(outcome)) }];
    case "cancel":
    case "retry":
    case "delete":
    case "prioritise": {
      const { limit: _, ...whole } = command;
      return isAtRest(command) ? [whole] : [whole, { do: "tidy", items: rowsMost, mayExpire: false }];
    }
    case "crashLoop":
      return [{ do: "crash", worker: command.worker, isTakenBack: true }];
    case "subscribe":
      return narrowedSubscription(command);
    default:
      return [command];
  }
}

/** How many of a lane that is opened again wait in it at once, and how many with the next tidy, goes by how many jobs a partition was asked to change. */
export function isAtRest(command: Command): boolean {
  return command.do !== "retry";
}

function narrowedSubscription(command: Extract<Command, { do: "subscribe" }>): readonly Command[] {
  if (command.subscription === 3) return [];
  const isOfHistory = command.subscription === 1 || command.subscription === 4;
  return [isOfHistory ? { ...command, variant: command.variant % 2 === 0 ? 0 : 4 } : command];
}

const whole = { slots: 500, ahead: 0 };

function narrowedClaim({ q1, q2, terms: _, ...claim }: Extract<Command, { do: "claim" }>, narrowing: Narrowing): Command {
  const settling = claim.settling?.map((outcome) => narrowing.outcome(outcome));
  return { ...claim, ...(q1 && { q1: whole }), ...(q2 && { q2: whole }), ...(settling && { settling }) };
}

/** Of one command. */
class Narrowing {
  readonly #keys = new Set<string>();

  atom({ joins = [], jobs, events = [], ...atom }: AtomPlan): AtomPlan {
    const [event] = events;
    const [join] = joins;
    // Notes lead all of it to the first partition.
    if (atom.notes !== undefined) this.#keys.add("composed");
    return {
      ...atom,
      ...(join && this.#isFirst("composed") && { joins: [this.#join(join)] }),
      jobs: jobs.map((job) => this.job(job, false)),
      ...(event && this.#isFirst("event") && { events: [event.id === undefined ? event : { ...event, key: 0 }] }),
    };
  }

  outcome(outcome: OutcomePlan): OutcomePlan {
    return outcome.follow === undefined ? outcome : { ...outcome, follow: outcome.follow.map((job) => this.job(job, false)) };
  }

  job({ id, lease: _, terms: __, startByInMs: ___, startWithinMs: ____, ...plan }: JobPlan, isMember: boolean): JobPlan {
    const { lane, unique, keyLimits, join, after, ...free } = plan;
    if (id !== undefined) return this.#isFirst(`id ${id}`) ? { ...free, id } : free;
    const isComposed = !isMember && (join !== undefined || after !== undefined) && this.#isFirst("composed");
    const isHeld = isMember || isComposed;
    const isUnique = unique !== undefined && !isHeld && this.#isFirst(at(uniques, unique).key);
    const isLaned =
      lane !== undefined &&
      !isHeld &&
      this.#isFirst(at(lanes, lane).key) &&
      (!isUnique || !isRewriting(unique) || isTogether(at(uniques, unique), at(lanes, lane)));
    const limits = keyLimits === undefined ? [] : keyLimitsOf(keyLimits);
    const others = [...(isUnique ? [at(uniques, unique)] : []), ...(isLaned ? [at(lanes, lane)] : [])];
    const isLimited = limits.length === 1 && isTogether(...limits, ...others) && limits.every(({ key }) => this.#isFirst(key));
    const { content: _____, ...same } = free;
    return {
      ...(isUnique && isRewriting(unique) ? { ...same, task: 0 } : free),
      ...(isLaned && { lane }),
      ...(isUnique && { unique }),
      ...(isLimited && keyLimits !== undefined && { keyLimits }),
      ...(isComposed && (join !== undefined ? { join } : after && { after: after.slice(0, 1) })),
    };
  }

  #join({ members, inner, callbacks, after, ...join }: JoinPlan): JoinPlan {
    return {
      ...join,
      ...(after && { after: after.slice(0, 1) }),
      members: members.map((job) => this.job(job, true)),
      ...(inner && { inner: inner.map((one) => ({ ...one, members: one.members.map((job) => this.job(job, true)) })) }),
      ...(callbacks && { callbacks: callbacks.map(({ when, job }) => ({ when, job: this.job(job, true) })) }),
    };
  }

  #isFirst(key: string): boolean {
    if (this.#keys.has(key)) return false;
    this.#keys.add(key);
    return true;
  }
}

/** Under such a key a job may be changed by others that come, or several wait. */
function isRewriting(unique: number): boolean {
  const { key, mode } = at(uniques, unique);
  return isGathered(key) || (mode.is !== "keep" && mode.is !== "throttle");
}

/** In one partition. */
function isTogether(...named: readonly { readonly key: string }[]): boolean {
  return new Set(named.map(({ key }) => homeOfName(key, partitions))).size === 1;
}

/** Longer than anything that is known of a partition is believed without asking. */
const lookMs = 1_001;

type At = port.At<unknown>;

/** Fences are each partition's own: told is the one that the others answer, and each is sent back as its partition gave it. What the handles on one store share. */
export class Fences {
  /** By run. */
  readonly #own = new Map<string, { readonly own: number; readonly told: number }>();
  readonly #told = new Map<number, number>();

  learn(run: string, own: number, told: number): void {
    this.#own.set(run, { own, told });
    this.#told.set(own, told);
  }

  isKnown(own: number): boolean {
    return this.#told.has(own);
  }

  toldOf(own: number): number {
    return this.#told.get(own) ?? own;
  }

  /** One that is wrong on purpose is wrong by as much. */
  outcome(outcome: port.Outcome): port.Outcome {
    const known = this.#own.get(`${outcome.id} ${outcome.claim}`);
    return known === undefined ? outcome : { ...outcome, fence: known.own + outcome.fence - known.told };
  }
}

export class Parted extends Wrapped {
  override readonly name: string = "redis over partitions";
  readonly #fences: Fences;

  constructor(inner: port.Engine, fences: Fences) {
    super(inner);
    this.#fences = fences;
  }

  override open({ runtime, ...host }: port.Host): void | Promise<void> {
    let ms = 0;
    return this.inner.open({ ...host, runtime: { ...runtime, monotonic: () => (ms += lookMs) } });
  }

  /** What goes on from one partition, the others' next claim hands out; and each partition renews a lease when it hands out under it. */
  override async claim(wanted: port.Claim, at: port.At): Promise<port.Claimed> {
    const first = await this.inner.claim({ ...wanted, settling: wanted.settling.map((outcome) => this.#fences.outcome(outcome)) }, at);
    const next = await this.inner.claim({ ...wanted, settling: [], lastFence: first.fence }, at);
    const jobs = [first, next].flatMap((claimed) => claimed.jobs.map(({ fence = claimed.fence, ...job }) => ({ fence, job })));
    if (jobs.length > 0) await this.inner.beat(wanted.process, wanted.leaseMs, at);
    for (const { fence, job } of jobs) this.#fences.learn(`${job.id} ${wanted.claim}`, fence, wanted.lastFence + 1);
    const fence = first.fence > wanted.lastFence ? wanted.lastFence + 1 : first.fence;
    return { ...first, ...next, settled: first.settled, jobs: jobs.map(({ job }) => job), fence };
  }

  override settle(outcomes: readonly port.Outcome[], at: At): port.Maybe<port.Settled[]> {
    return this.inner.settle(
      outcomes.map((outcome) => this.#fences.outcome(outcome)),
      at,
    );
  }

  override async lock(request: port.LockRequest, at: port.At): Promise<port.Grant | port.Waiting> {
    const answer = await this.inner.lock(request, at);
    await this.inner.beat(request.process, request.leaseMs, at);
    if (answer.is !== "granted") return answer;
    if (!this.#fences.isKnown(answer.fence)) this.#fences.learn(`${request.name} ${request.ticket}`, answer.fence, request.lastFence + 1);
    return { ...answer, fence: this.#fences.toldOf(answer.fence) };
  }

  override async find<Q extends port.Query>(query: Q, at: port.At): Promise<port.Page<Q>> {
    const page = await this.inner.find(query, at);
    return { ...page, rows: page.rows.map((row) => this.#row(row)) } as unknown as port.Page<Q>;
  }

  /** All rows, a page at a time. */
  async whole(query: port.Query, at: port.At): Promise<readonly object[]> {
    const rows: object[] = [];
    let after: string | undefined;
    do {
      const page: port.Page = await this.find({ ...query, ...(after !== undefined && { after }) }, at);
      rows.push(...page.rows);
      must(rows.length <= rowsMost, `pages of ${query.of} never end`);
      after = page.next;
    } while (after !== undefined);
    return rows;
  }

  #row(row: port.Page["rows"][number]): object {
    if ("claim" in row && row.claim !== undefined) return { ...row, claim: { ...row.claim, fence: this.#fences.toldOf(row.claim.fence) } };
    return "ticket" in row ? { ...row, fence: this.#fences.toldOf(row.fence) } : row;
  }
}

/** Of an answer, what several partitions promise. */
export function promised(answer: unknown): unknown {
  if (Array.isArray(answer)) {
    const items = answer.map(promised);
    return items.every(hasId) ? byId(items) : items;
  }
  if (typeof answer !== "object" || answer === null) return answer;
  // How a job stands that is in another partition, only that one knows.
  const { state: _, ...rest } = answer as { state?: unknown };
  // Instants for a timer are as old as what is known of a partition.
  const { nextDueMs: __, ...timeless } = rest as { nextDueMs?: unknown };
  if ("nextDueMs" in answer) return promised(timeless);
  const told = "isDuplicate" in answer || ("is" in answer && answer.is === "lease-lost") ? rest : answer;
  return Object.fromEntries(Object.entries(told).map(([name, value]) => [name, promised(value)]));
}

const byId = (items: readonly HasId[]): readonly HasId[] => items.toSorted((a, b) => (a.id < b.id ? -1 : Number(a.id > b.id)));

interface HasId {
  readonly id: string;
}

function hasId(item: unknown): item is HasId {
  return typeof item === "object" && item !== null && "id" in item && typeof item.id === "string";
}

/** Rows of a listing: those that have an order come by id; and each partition forgets by itself a process that holds nothing there. */
export function comparable(of: port.Query["of"], rows: readonly object[]): readonly object[] {
  if (of === "jobs" || of === "joins") return byId(rows as readonly HasId[]);
  if (of === "processes") return sorted((rows as readonly port.ProcessRow[]).filter(({ running }) => running > 0).map(({ since: _, ...row }) => row));
  return sorted(of === "events" ? (rows as readonly port.EventRow[]).map(named) : rows);
}

/** Without those that have ended and are not told of any more: members of joins, and what others come after, are kept where these are. */
export function withoutKept(rows: readonly object[], told: readonly object[]): readonly object[] {
  const ids = new Set((told as readonly HasId[]).map(({ id }) => id));
  return (rows as readonly port.JobRow[]).filter(({ id, endedAt }) => endedAt === undefined || ids.has(id));
}

/** The id of a death derives from the fence of its run. */
function named(event: port.EventRow): port.EventRow {
  return event.name === jobDiedName ? { ...event, id: event.payload } : event;
}

export function unordered(view: View): View {
  const { jobs, joins, events, counts, processes } = view;
  const open = [...jobs.filter(({ endedAt }) => endedAt === undefined), ...joins.filter(({ closedAt }) => closedAt === undefined)];
  const before = new Set(open.flatMap(({ after = [] }) => after.map(({ id }) => id)));
  const told = jobs.filter(({ id, endedAt, joins: own }) => endedAt === undefined || (own === undefined && !before.has(id)));
  return {
    ...view,
    jobs: comparable("jobs", told),
    joins: comparable("joins", joins),
    events: comparable("events", events),
    processes: comparable("processes", processes),
    counts: counts.filter(({ state }) => !isEnded(state)),
  } as View;
}
