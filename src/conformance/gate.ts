/** Whether a process of a world goes on, stands still (as under SIGSTOP), or is dead; and whether it reaches the store. */
import type { Maybe } from "../core/engine.ts";
import { ErrandError } from "../core/errors.ts";

export type StoreReach = "reached" | "cut" | "answers lost";

export class Gate {
  #is: "running" | "paused" | "crashed" = "running";
  #held: (() => void)[] = [];
  #calls = 0;
  #answered: (() => void)[] = [];
  reach: StoreReach = "reached";

  get isCrashed(): boolean {
    return this.#is === "crashed";
  }

  /** Calls to the store that are under way. */
  get calls(): number {
    return this.#is === "running" ? this.#calls : 0;
  }

  /** Resolves when one of the calls that are under way has its answer. */
  answer(): Promise<void> {
    return new Promise((resolve) => void this.#answered.push(resolve));
  }

  pause(): void {
    if (this.#is === "running") this.#is = "paused";
  }

  resume(): void {
    if (this.#is !== "paused") return;
    this.#is = "running";
    for (const fn of this.#held.splice(0)) this.pass(fn);
  }

  crash(): void {
    this.#is = "crashed";
    this.#held = [];
    for (const answered of this.#answered.splice(0)) answered();
  }

  /** Now, after `resume`, or never. */
  pass(fn: () => void): void {
    if (this.#is === "running") fn();
    else if (this.#is === "paused") this.#held.push(fn);
  }

  /** Resolves while the process runs: after `resume`, and in a dead one never. */
  alive(): Promise<void> {
    return new Promise((resolve) => this.pass(resolve));
  }

  /** A call to the store, from this process: held up, refused, or its answer lost, as the gate stands. */
  call<T>(verb: () => Maybe<T>): Maybe<T> {
    if (this.#is !== "running") return this.alive().then(() => this.call(verb));
    if (this.reach === "cut") return Promise.reject(unreachable());
    const answer = verb();
    if (this.reach === "answers lost") return this.#lost(answer);
    return answer instanceof Promise ? this.#tracked(answer) : answer;
  }

  async #lost(answer: unknown): Promise<never> {
    await this.#tracked(Promise.resolve(answer));
    throw unreachable();
  }

  async #tracked<T>(answer: Promise<T>): Promise<T> {
    this.#calls++;
    try {
      return await answer;
    } finally {
      this.#calls--;
      for (const answered of this.#answered.splice(0)) answered();
      await this.alive();
    }
  }
}

function unreachable(): ErrandError {
  return new ErrandError("store-failed", "the store cannot be reached from this process; wait for it to come back");
}
