/** A job that stands already, given to a join again: it becomes a member, unless the join would wait for itself. */
import type { Held } from "./hold.ts";
import type { Job } from "./job.ts";
import { isTaking } from "./join.ts";
import type { Join } from "./join.ts";
import type { Store } from "./store.ts";

/** How many things are looked at before it is left out all the same. */
const searchMax = 1_000;

export function adoptAgain(store: Store, job: Job, joinId: string | undefined): void {
  const join = joinId === undefined ? undefined : store.joins.find(joinId);
  if (join === undefined || !isTaking(join) || job.joins.includes(join)) return;
  if (job.hold && new Search(join).isReached(job)) return;
  store.joins.adopt(join, job);
  // One that has ended is kept for the join as well.
  store.retain(job);
}

/** Over whatever one thing waits for: predecessors, the opening of its joins, and the ends of those it comes after. */
class Search {
  /** The join, and those around it: they close after it. */
  readonly #targets = new Set<Join>();
  readonly #seen = new Set<Held>();
  readonly #todo: Held[] = [];
  #looks = 0;

  constructor(join: Join) {
    for (let around: Join | undefined = join; around; around = around.parent) this.#targets.add(around);
  }

  isReached(from: Job): boolean {
    this.#waitFor(from);
    for (let next = this.#todo.pop(); next; next = this.#todo.pop()) {
      if (next.kind === "join" && this.#targets.has(next)) return true;
      this.#expand(next);
      if (next.kind === "join") this.#waitForMembers(next);
      if (this.#looks > searchMax) return true;
    }
    return false;
  }

  /** What must end before it may go on. A join that holds it must open for that, not close. */
  #expand(held: Held): void {
    for (let waiting: Held | undefined = held; waiting; waiting = waiting.kind === "job" ? waiting.join : waiting.parent) {
      if (waiting.kind === "join" && waiting.state === "open") return;
      for (const { held: before } of waiting.after) this.#waitFor(before);
    }
  }

  #waitForMembers(join: Join): void {
    for (const member of join.own.after(0)) {
      if (this.#looks > searchMax) return;
      this.#waitFor(member);
    }
    for (const job of join.adopted) this.#waitFor(job);
  }

  /** What runs, or waits for a worker, ends by itself. */
  #waitFor(held: Held | undefined): void {
    this.#looks += 1;
    const isWaiting = held?.kind === "job" ? held.hold !== undefined : held !== undefined && held.state !== "closed";
    if (held === undefined || !isWaiting || this.#seen.has(held)) return;
    this.#seen.add(held);
    this.#todo.push(held);
  }
}
