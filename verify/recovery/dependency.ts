/** A simulated service that a task calls: it carries so many calls a second, can be down, and takes more than it carries in its own way. */
import type { VirtualRuntime } from "../../src/testing/virtualRuntime.ts";

export interface DependencyOptions {
  /** Calls a second that it carries. */
  readonly capacity: number;
  /** How long a call takes. */
  readonly latencyMs: number;
  /**
   * What becomes of more than it carries. "collapses": it goes on answering a fifth of its capacity until it is left alone for a while. "rejects": each call
   * beyond it, at once. "slows": they wait in line, and whoever waits too long gives up, though the work is done all the same. Default collapses.
   */
  readonly overload?: "collapses" | "rejects" | "slows";
}

const secondMs = 1_000;
/** Overloaded, it goes on answering so small a part of its capacity … */
const collapsedPart = 0.2;
/** … until no more than this part of it is asked for. */
const restingPart = 0.7;
/** What it carries for a moment without harm. */
const tolerance = 1.05;
/** So long does a caller wait in line. */
const patienceMs = 2_000;

export class Dependency {
  readonly #runtime: VirtualRuntime;
  readonly #options: DependencyOptions;
  /** When the calls of the last second came, and when those were answered that it carried. */
  #recent: number[] = [];
  #answered: number[] = [];
  /** When it is through with its line. */
  #freeAt = 0;
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
    this.#recent = this.#lately(this.#recent);
    return this.#recent.length;
  }

  async call(): Promise<void> {
    this.calls++;
    this.#recent.push(this.#runtime.monotonic());
    this.now++;
    this.most = Math.max(this.most, this.now);
    const { isGood, ms } = this.#answer();
    await new Promise<void>((resolve) => this.#runtime.after(ms, resolve));
    this.now--;
    if (!isGood) throw new Error("503 service unavailable");
    this.good++;
  }

  #answer(): { readonly isGood: boolean; readonly ms: number } {
    const { latencyMs, overload = "collapses" } = this.#options;
    const isCollapsed = overload === "collapses" && this.#collapses();
    if (this.isDown) return { isGood: false, ms: latencyMs };
    if (overload === "slows") return this.#inLine();
    const isGood = overload === "rejects" ? this.#hasRoom(1) : !isCollapsed || this.#hasRoom(collapsedPart);
    return { isGood, ms: latencyMs };
  }

  #collapses(): boolean {
    const { capacity } = this.#options;
    const { load } = this;
    if (load > capacity * tolerance) this.isCollapsed = true;
    else if (load < capacity * restingPart) this.isCollapsed = false;
    return this.isCollapsed;
  }

  /** Whether it carries one more within this part of its capacity. */
  #hasRoom(part: number): boolean {
    this.#answered = this.#lately(this.#answered);
    const hasRoom = this.#answered.length < this.#options.capacity * part;
    if (hasRoom) this.#answered.push(this.#runtime.monotonic());
    return hasRoom;
  }

  #inLine(): { readonly isGood: boolean; readonly ms: number } {
    const now = this.#runtime.monotonic();
    const waitMs = Math.max(0, this.#freeAt - now);
    this.#freeAt = now + waitMs + secondMs / this.#options.capacity;
    return waitMs > patienceMs ? { isGood: false, ms: patienceMs } : { isGood: true, ms: waitMs + this.#options.latencyMs };
  }

  #lately(times: readonly number[]): number[] {
    const from = this.#runtime.monotonic() - secondMs;
    return times.filter((at) => at > from);
  }
}
