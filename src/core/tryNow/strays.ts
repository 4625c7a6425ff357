/**
 * Jobs whose storing got no answer. They may be stored, and leased to this process, whose heartbeat would keep them from everybody for ever: they are looked
 * for, and handed back.
 */
import { at } from "../at.ts";
import type { Outcome } from "../engine.ts";
import type { HolderParts } from "../lock/holder.ts";
import type { Ms, Timer } from "../runtime.ts";
import { reconnectDelayMs } from "../worker/backoff.ts";

interface Stray {
  readonly id: string;
  readonly claim: string;
  /** A call may still be under way in the store when its connection is gone, so it is looked for twice. */
  looks: number;
  failures: number;
  timer: Timer | undefined;
}

const straysMax = 1_000;

export class Strays {
  readonly #parts: HolderParts;
  readonly #againAfterMs: Ms;
  readonly #strays: Set<Stray> = new Set();

  constructor(parts: HolderParts, againAfterMs: Ms) {
    this.#parts = parts;
    this.#againAfterMs = againAfterMs;
  }

  add(id: string, claim: string): void {
    if (this.#strays.size >= straysMax) {
      this.#parts.log.warn({ job: id }, "too many jobs were stored without an answer; this one is free when this process has ended");
      return;
    }
    const stray: Stray = { id, claim, looks: 2, failures: 0, timer: undefined };
    this.#strays.add(stray);
    void this.#look(stray);
  }

  close(): void {
    for (const { timer } of this.#strays) timer?.cancel();
    this.#strays.clear();
  }

  async #look(stray: Stray): Promise<void> {
    const { engine, runtime } = this.#parts;
    try {
      const { rows } = await engine.find({ of: "jobs", ids: [stray.id] }, at(runtime));
      const held = rows[0]?.claim;
      if (held?.claim === stray.claim) {
        const back: Outcome = { id: stray.id, claim: held.claim, fence: held.fence, is: "released", ranMs: 0 };
        await engine.settle([back], at(runtime));
      }
      stray.failures = 0;
      if (rows.length > 0 || --stray.looks === 0) this.#strays.delete(stray);
      else this.#later(stray, this.#againAfterMs);
    } catch {
      this.#later(stray, reconnectDelayMs(++stray.failures, runtime.random())); // it is looked for until the store answers
    }
  }

  #later(stray: Stray, ms: Ms): void {
    if (!this.#strays.has(stray)) return;
    stray.timer = this.#parts.runtime.after(ms, () => void this.#look(stray), { background: true });
  }
}
