/**
 * Looks now and then for what an operator must know of: what keeps the store from taking away what is dead, once of each holder, and what could not be taken in.
 * Writes nothing.
 */
import { pinnedAfterMs, pinsLookEveryMs } from "../defaults.ts";
import type { Engine, Pin } from "../engine.ts";
import type { Logger, Ms, Runtime, Timer } from "../runtime.ts";
import { jittered } from "./backoff.ts";

export interface PinWatchParts {
  readonly engine: Pick<Engine, "pins" | "setAside">;
  readonly runtime: Runtime;
  readonly log: Logger;
}

interface Seen {
  readonly pin: Pin;
  /** By the monotonic clock. */
  readonly at: number;
  isTold: boolean;
}

export class PinWatch {
  readonly #parts: PinWatchParts;
  readonly #afterMs: Ms;
  #seen: ReadonlyMap<string, Seen> = new Map();
  #setAside = 0;
  #timer: Timer | undefined;
  #look: Promise<void> | undefined;
  #isStopped = false;

  constructor(parts: PinWatchParts, afterMs: Ms = pinnedAfterMs) {
    this.#parts = parts;
    this.#afterMs = afterMs;
  }

  start(): void {
    if (this.#parts.engine.pins !== undefined) this.#later();
  }

  /** Resolves when no look is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#look;
  }

  /** Once, now. */
  async look(): Promise<void> {
    const { engine, runtime, log } = this.#parts;
    try {
      const pins = (await engine.pins?.(this.#afterMs)) ?? [];
      const before = this.#seen;
      this.#seen = new Map(pins.map((pin) => [pin.key, before.get(pin.key) ?? { pin, at: runtime.monotonic(), isTold: false }]));
      for (const seen of this.#seen.values()) this.#tell(seen);
      for (const [key, { pin, isTold }] of before) {
        if (isTold && !this.#seen.has(key)) log.info(pin.details, "what kept the store from taking away dead rows has ended");
      }
      this.#tellSetAside((await engine.setAside?.()) ?? 0);
    } catch (error) {
      // Whoever has work for the store tells that it is away.
      log.debug({ err: error }, "it could not be looked for what keeps the store from taking away dead rows, and for what was set aside");
    }
  }

  #tellSetAside(setAside: number): void {
    const { log } = this.#parts;
    if (setAside > this.#setAside) {
      log.error(
        { setAside },
        "what transactions handed in could not be taken in, and was set aside; errand doctor shows it, with what the store said, and how to take it in again",
      );
    }
    this.#setAside = setAside;
  }

  #later(): void {
    const { runtime } = this.#parts;
    this.#timer = runtime.after(
      jittered(pinsLookEveryMs, runtime.random()),
      () => {
        this.#look = this.look().finally(() => {
          this.#look = undefined;
          if (!this.#isStopped) this.#later();
        });
      },
      { background: true },
    );
  }

  /** Where the store does not tell since when, it is known from here for as long as it is seen. */
  #tell(seen: Seen): void {
    const { runtime, log } = this.#parts;
    const { pin } = seen;
    if (seen.isTold || (pin.ageMs === undefined && runtime.monotonic() - seen.at < this.#afterMs)) return;
    seen.isTold = true;
    const cure = pin.repair === undefined ? "" : `; if it is not wanted: ${pin.repair}`;
    log.warn(pin.details, `${pin.what}: until it ends the store can take away no row that died since, grows, and becomes slower${cure}`);
  }
}
