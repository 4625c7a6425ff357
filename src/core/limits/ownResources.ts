/** Resources that a worker itself has: counted here, and asked of no store. */
import type { AnyTask } from "../task.ts";

export type Amounts = Readonly<Record<string, number>>;

export class OwnResources {
  readonly #has: ReadonlyMap<string, number>;
  /** Tasks that share one take turns in being the first to be given some. */
  #turn = 0;
  #shares: ReadonlyMap<string, number> = new Map();
  /** How often in a row nobody used what was kept for one of them. */
  #idleTurns = 0;

  constructor(has: Amounts | undefined) {
    this.#has = new Map(Object.entries(has ?? {}));
  }

  get isEmpty(): boolean {
    return this.#has.size === 0;
  }

  /** Undefined: none, so it is asked of the store. */
  amountOf(name: string): number | undefined {
    return this.#has.get(name);
  }

  /** What the store is to be asked for. */
  othersOf(needs: Amounts): Amounts | undefined {
    const others = Object.entries(needs).filter(([name]) => !this.#has.has(name));
    return others.length === 0 ? undefined : Object.fromEntries(others);
  }

  /**
   * How many jobs of each task may be claimed with what is free, all together; tasks that need nothing from here are not among them.
   * `running`: the tasks of all jobs in flight, each as often as it is.
   */
  shares(tasks: Iterable<AnyTask>, running: Iterable<AnyTask>): Map<string, number> {
    const free = new Map(this.#has);
    for (const task of running) this.#take(free, task, 1);
    const needing = [...tasks].filter((task) => this.#ownNeeds(task).length > 0);
    const shares = new Map(needing.map((task) => [task.name, 0]));
    const turn = needing.length === 0 ? 0 : this.#turn++ % needing.length;
    const order = [...needing.slice(turn), ...needing.slice(0, turn)];
    for (let isGiven = true; isGiven;) {
      isGiven = false;
      for (const task of order) {
        if (!this.#hasRoom(free, task)) continue;
        this.#take(free, task, 1);
        shares.set(task.name, (shares.get(task.name) ?? 0) + 1);
        isGiven = true;
      }
    }
    this.#shares = shares;
    return shares;
  }

  /** Some of what was shared out was not used, and another task may use it. Comes to an end when each had its turn. */
  mayAskAgain(jobs: readonly { readonly task: string }[]): boolean {
    if (this.#shares.size < 2) return false;
    const used = (task: string): number => jobs.filter((job) => job.task === task).length;
    const isLeft = [...this.#shares].some(([task, share]) => used(task) < share);
    const isShort = [...this.#shares].some(([task, share]) => used(task) >= share);
    this.#idleTurns = jobs.length > 0 ? 0 : this.#idleTurns + 1;
    return isLeft && isShort && this.#idleTurns < this.#shares.size;
  }

  #ownNeeds({ policy }: AnyTask): (readonly [name: string, amount: number])[] {
    return Object.entries(policy.needs ?? {}).filter(([name]) => this.#has.has(name));
  }

  #hasRoom(free: ReadonlyMap<string, number>, task: AnyTask): boolean {
    return this.#ownNeeds(task).every(([name, amount]) => (free.get(name) ?? 0) >= amount);
  }

  #take(free: Map<string, number>, task: AnyTask, jobs: number): void {
    for (const [name, amount] of this.#ownNeeds(task)) free.set(name, (free.get(name) ?? 0) - amount * jobs);
  }
}
