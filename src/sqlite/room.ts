/** How many jobs of each task one call may hand out under their terms. */
import type { TaskTerms } from "../core/engine.ts";
import { amountInUse, freeAtOf, heldUnder, isGated, recordStarts, runningUnder, startsUnder } from "./gates.ts";
import type { Transaction } from "./transaction.ts";

export class Room {
  readonly #tx: Transaction;
  readonly #terms: Readonly<Record<string, TaskTerms>>;
  /** What is left of each gate and resource, by kind and name. */
  readonly #left = new Map<string, number>();
  readonly #taken = new Map<string, number>();
  readonly #retries = new Map<string, number>();

  constructor(tx: Transaction, terms: Readonly<Record<string, TaskTerms>> = {}) {
    this.#tx = tx;
    this.#terms = terms;
  }

  termsOf(task: string): TaskTerms | undefined {
    return Object.hasOwn(this.#terms, task) ? this.#terms[task] : undefined;
  }

  isGated(task: string): boolean {
    return isGated(this.termsOf(task));
  }

  /** How many more of the task: at most what `most` says; 0 where a gate is full or a need is not met. */
  leftOf(task: string): number {
    const terms = this.termsOf(task);
    if (terms === undefined) return Number.POSITIVE_INFINITY;
    const { gates = [], needs = {}, most = Number.POSITIVE_INFINITY } = terms;
    const isOpen = gates.every((name) => this.#leftOfGate(name) >= 1) && Object.entries(needs).every(([name, amount]) => this.#leftOfResource(name) >= amount);
    return isOpen ? Math.max(0, most - (this.#taken.get(task) ?? 0)) : 0;
  }

  /** How many more of the task that were tried before. */
  retriesLeftOf(task: string): number {
    return Math.max(0, (this.termsOf(task)?.retriesMost ?? Number.POSITIVE_INFINITY) - (this.#retries.get(task) ?? 0));
  }

  boundsRetries(task: string): boolean {
    return this.termsOf(task)?.retriesMost !== undefined;
  }

  takeRetry(task: string): void {
    this.#retries.set(task, (this.#retries.get(task) ?? 0) + 1);
  }

  take(task: string, jobs = 1): void {
    const terms = this.termsOf(task);
    if (terms === undefined) return;
    this.#taken.set(task, (this.#taken.get(task) ?? 0) + jobs);
    for (const name of new Set(terms.gates)) this.#left.set(`limit ${name}`, this.#leftOfGate(name) - jobs);
    for (const [name, amount] of Object.entries(terms.needs ?? {})) this.#left.set(`resource ${name}`, this.#leftOfResource(name) - amount * jobs);
  }

  /** Written once for all that was taken. Answers, by task, what its running jobs carry. */
  handOut(): Map<string, number> {
    const carried = new Map<string, number>();
    for (const [task, jobs] of this.#taken) {
      const terms = this.termsOf(task);
      if (terms === undefined || !isGated(terms)) continue;
      carried.set(task, this.#tx.gates.handOut(this.#tx, heldUnder(terms), jobs));
      for (const name of new Set(terms.gates)) {
        const limit = this.#tx.notices.limits.get(name);
        if (limit && "starts" in limit) recordStarts(this.#tx, name, limit.everyMs, jobs);
      }
    }
    return carried;
  }

  /** When a limit of starts that the task names, and that is used up, has room again. */
  freeAt(task: string): number | undefined {
    const times = (this.termsOf(task)?.gates ?? []).flatMap((name) => {
      const limit = this.#tx.notices.limits.get(name);
      return (limit && freeAtOf(this.#tx, name, limit)) ?? [];
    });
    return times.length === 0 ? undefined : Math.min(...times);
  }

  #leftOfGate(name: string): number {
    return this.#leftUnder(`limit ${name}`, () => {
      const limit = this.#tx.notices.limits.get(name);
      if (limit === undefined) return Number.POSITIVE_INFINITY;
      if ("running" in limit) return limit.running - runningUnder(this.#tx, name);
      return startsUnder(this.#tx, name, limit.everyMs).reduce((left, [, starts]) => left - starts, limit.starts);
    });
  }

  #leftOfResource(name: string): number {
    return this.#leftUnder(`resource ${name}`, () => (this.#tx.notices.resources.get(name) ?? 0) - amountInUse(this.#tx, name));
  }

  #leftUnder(name: string, count: () => number): number {
    const known = this.#left.get(name);
    if (known !== undefined) return known;
    const left = count();
    this.#left.set(name, left);
    return left;
  }
}
