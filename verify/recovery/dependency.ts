/** A simulated service that a task calls: it carries so many calls a second, can be down, and collapses under more, until it is left alone for a while. */
import type { VirtualRuntime } from "../../src/testing/virtualRuntime.ts";

export interface DependencyOptions {
  /** Calls a second that it carries. */
  readonly capacity: number;
  /** How long a call takes. */
  readonly latencyMs: number;
}

const secondMs = 1_000;
/** Overloaded, it goes on answering so small a part of its capacity … */
const collapsedPart = 0.2;
/** … until no more than this part of it is asked for. */
const restingPart = 0.7;
/** What it carries for a moment without harm. */
const tolerance = 1.05;

export class Dependency {
  readonly #runtime: VirtualRuntime;
  readonly #options: DependencyOptions;
  /** When the calls of the last second came. */
  #recent: number[] = [];
  #answered: number[] = [];
  isDown = false;
  isCollapsed = false;
  now = 0;
  most = 0;
  calls = 0;
  good = 0;

  constructor(runtime: VirtualRuntime, options: DependencyOptions) {
    this.#runtime = runtime;
    this.#options = options;
  }

  /** Calls that came within the last second. */
  get load(): number {
    const from = this.#runtime.monotonic() - secondMs;
    this.#recent = this.#recent.filter((at) => at > from);
    return this.#recent.length;
  }

  async call(): Promise<void> {
    this.calls++;
    this.#recent.push(this.#runtime.monotonic());
    this.now++;
    this.most = Math.max(this.most, this.now);
    const isGood = this.#answers();
    await new Promise<void>((resolve) => this.#runtime.after(this.#options.latencyMs, resolve));
    this.now--;
    if (!isGood) throw new Error("503 service unavailable");
    this.good++;
  }

  #answers(): boolean {
    const { capacity } = this.#options;
    const { load } = this;
    if (load > capacity * tolerance) this.isCollapsed = true;
    else if (load < capacity * restingPart) this.isCollapsed = false;
    if (this.isDown) return false;
    if (!this.isCollapsed) return true;
    const now = this.#runtime.monotonic();
    this.#answered = this.#answered.filter((at) => at > now - secondMs);
    if (this.#answered.length >= capacity * collapsedPart) return false;
    this.#answered.push(now);
    return true;
  }
}
