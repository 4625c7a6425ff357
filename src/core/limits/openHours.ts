/** Whether the hours of tasks are open now, by the store's clock; looked up once for each change. */
import type { Instant, Ms } from "../runtime.ts";
import type { AnyTask } from "../task.ts";
import { isOpen, untilChangeMs, type Hours } from "./hours.ts";
import type { StoreClock } from "./storeClock.ts";

interface Known {
  readonly isOpen: boolean;
  readonly from: Instant;
  readonly until: Instant;
}

export class OpenHours {
  readonly #clock: StoreClock;
  readonly #known: Map<readonly Hours[], Known> = new Map();

  constructor(clock: StoreClock) {
    this.#clock = clock;
  }

  areOpen({ policy }: AnyTask): boolean {
    return policy.hours === undefined || this.#of(policy.hours).isOpen;
  }

  untilChangeMs(tasks: Iterable<AnyTask>): Ms {
    let next = Number.POSITIVE_INFINITY;
    for (const { policy } of tasks) if (policy.hours !== undefined) next = Math.min(next, this.#of(policy.hours).until);
    return next - this.#clock.now();
  }

  #of(hours: readonly Hours[]): Known {
    const now = this.#clock.now();
    const known = this.#known.get(hours);
    if (known !== undefined && now >= known.from && now < known.until) return known;
    const fresh = { isOpen: isOpen(hours, now), from: now, until: now + untilChangeMs(hours, now) };
    this.#known.set(hours, fresh);
    return fresh;
  }
}
