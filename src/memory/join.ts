/** Joins: jobs that belong together (G11). Endings are counted as they come; what they let happen is done at the end of the verb (aftermath.ts). */
import type { NewJoin } from "../core/engine.ts";
import { endedAs } from "../core/joining.ts";
import type { Ended } from "../core/joining.ts";
import type { Instant } from "../core/runtime.ts";
import { Heap } from "./heap.ts";
import type { Before, Held } from "./hold.ts";
import type { Job } from "./job.ts";
import { Sequence } from "./sequence.ts";

export interface Join {
  readonly kind: "join";
  readonly id: string;
  readonly seq: number;
  readonly content: string;
  readonly name: string;
  readonly storedAt: Instant;
  readonly rememberUntil: Instant;
  readonly parent: Join | undefined;
  readonly after: readonly Before[];
  /** Members that were stored into it, and jobs that stood already when they were given to it again. */
  readonly own: Sequence<Held>;
  readonly adopted: Set<Job>;
  /** Ended members: how long they are kept counts from its closing. */
  readonly kept: Set<Job>;

  state: "staged" | "waiting" | "open" | "closed";
  isSealed: boolean;
  /** Works that named it before it was sealed. */
  given: number;
  touchedAt: Instant;
  closedAt: Instant | undefined;
  live: number;
  succeeded: number;
  failed: number;
  /** Up to which of its own members it has let go, or has ended. */
  releasedTo: number;
  endedTo: number;
  /** Why it was cancelled. */
  cancelled: string | undefined;
  /** What it came after ended otherwise than asked: how its members end. */
  fate: Fate | undefined;
  /** Its storing was given up: it is being removed. */
  isAbandoned: boolean;
}

export interface Fate {
  readonly is: "cancelled" | "skipped";
  readonly reason: string;
}

export function newJoin(work: NewJoin, place: Pick<Join, "seq" | "parent" | "after">, now: Instant): Join {
  return {
    kind: "join",
    id: work.id,
    ...place,
    content: work.content,
    name: work.name,
    storedAt: now,
    rememberUntil: now + work.rememberMs,
    own: new Sequence(),
    adopted: new Set(),
    kept: new Set(),
    state: "staged",
    isSealed: false,
    given: 0,
    touchedAt: now,
    closedAt: undefined,
    live: 0,
    succeeded: 0,
    failed: 0,
    releasedTo: 0,
    endedTo: 0,
    cancelled: undefined,
    fate: undefined,
    isAbandoned: false,
  };
}

/** How it stands to those that come after it, and to its parent. */
export function endedJoin(join: Join): Ended {
  if (join.state !== "closed") return undefined;
  if (join.fate) return join.fate.is === "skipped" ? "well" : "badly";
  return join.cancelled !== undefined || join.failed > 0 ? "badly" : "well";
}

/** Whether it takes new members. */
export function isTaking(join: Join): boolean {
  return join.state !== "closed" && join.cancelled === undefined && join.fate === undefined && !join.isAbandoned;
}

export function isEmpty(join: Join): boolean {
  return join.own.size + join.adopted.size === 0;
}

export class Joins {
  readonly inOrder: Sequence<Join> = new Sequence();
  /** Not sealed yet, the longest untouched first. */
  readonly staged: Heap<Join> = new Heap((a, b) => a.touchedAt - b.touchedAt || a.seq - b.seq);
  /** Closed ones that nothing needs any more, by when they may go. */
  readonly forgettable: Heap<{ readonly join: Join; readonly at: Instant }> = new Heap((a, b) => a.at - b.at || a.join.seq - b.join.seq);
  /** No member lives: looked at at the end of the verb. */
  readonly toClose: Set<Join> = new Set();
  /** Open ones with members to let go; those whose members must end, by fate or by cancel; closed ones whose members' retention begins. */
  readonly toRelease: Set<Join> = new Set();
  readonly toEnd: Set<Join> = new Set();
  readonly toCancel: Set<Join> = new Set();
  readonly toRetain: Set<Join> = new Set();
  readonly #byId = new Map<string, Join>();

  find(id: string): Join | undefined {
    return this.#byId.get(id);
  }

  add(join: Join): void {
    this.#byId.set(join.id, join);
    this.inOrder.append(join);
    this.staged.push(join);
    if (join.parent) this.addMember(join.parent, join);
  }

  /** Nothing names it any more. */
  remove(join: Join): void {
    this.#byId.delete(join.id);
    this.inOrder.remove(join);
    this.staged.remove(join);
    for (const pending of [this.toClose, this.toRelease, this.toEnd, this.toCancel, this.toRetain]) pending.delete(join);
    join.parent?.own.remove(join);
  }

  addMember(join: Join, member: Held): void {
    join.own.append(member);
    this.count(join, undefined, member.kind === "job" ? endedAs(member.state) : endedJoin(member), 1);
  }

  adopt(join: Join, job: Job): void {
    job.joins = [...job.joins, join];
    join.adopted.add(job);
    this.count(join, undefined, endedAs(job.state), 1);
  }

  /** A member ended, or lives again. A closed join is not touched any more. */
  recount(join: Join, before: Ended, after: Ended): void {
    if (join.state !== "closed") this.count(join, before, after);
  }

  /** Something was added to it, which for those around it is an addition too. */
  touch(join: Join, now: Instant): void {
    for (let touched: Join | undefined = join; touched; touched = touched.parent) {
      const isStaged = this.staged.remove(touched);
      touched.touchedAt = now;
      if (isStaged) this.staged.push(touched);
    }
  }

  count(join: Join, before: Ended, after: Ended, joining: 0 | 1 = 0): void {
    if (joining === 0) join[counterOf(before)] -= 1;
    join[counterOf(after)] += 1;
    if (join.live === 0) this.toClose.add(join);
  }
}

function counterOf(ended: Ended): "live" | "succeeded" | "failed" {
  if (ended === undefined) return "live";
  return ended === "well" ? "succeeded" : "failed";
}
