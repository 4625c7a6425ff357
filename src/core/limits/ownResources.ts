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
    for (const task of running) take(free, this.#ownNeeds(task), 1);
    const needing = Array.from(tasks, (task) => ({ name: task.name, needs: this.#ownNeeds(task) })).filter(({ needs }) => needs.length > 0);
    const shares = new Map(needing.map(({ name }) => [name, 0]));
    const turn = needing.length === 0 ? 0 : this.#turn++ % needing.length;
    let order = [...needing.slice(turn), ...needing.slice(0, turn)].filter(({ needs }) => hasRoom(free, needs));
    while (order.length > 0) {
      // As many whole turns as there are at once: a resource may be counted in bytes.
      const turns = Math.max(1, wholeTurns(free, order));
      for (const { name, needs } of order) {
        if (!hasRoom(free, needs)) continue;
        take(free, needs, turns);
        shares.set(name, (shares.get(name) ?? 0) + turns);
      }
      order = order.filter(({ needs }) => hasRoom(free, needs));
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

  #ownNeeds({ policy }: AnyTask): Needs {
    return Object.entries(policy.needs ?? {}).filter(([name]) => this.#has.has(name));
  }
}

type Needs = readonly (readonly [name: string, amount: number])[];

function hasRoom(free: ReadonlyMap<string, number>, needs: Needs): boolean {
  return needs.every(([name, amount]) => (free.get(name) ?? 0) >= amount);
}

function take(free: Map<string, number>, needs: Needs, jobs: number): void {
  for (const [name, amount] of needs) free.set(name, (free.get(name) ?? 0) - amount * jobs);
}

/** How often each of them can be given one, before one of them cannot. */
function wholeTurns(free: ReadonlyMap<string, number>, order: readonly { readonly needs: Needs }[]): number {
  const perTurn = new Map<string, number>();
  for (const { needs } of order) for (const [name, amount] of needs) perTurn.set(name, (perTurn.get(name) ?? 0) + amount);
  return Math.min(...Array.from(perTurn, ([name, amount]) => Math.floor((free.get(name) ?? 0) / amount)));
}
