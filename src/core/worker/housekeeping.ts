/** Tidies the store, a bounded pass at a time, for as long as the worker runs. */
import { at } from "../at.ts";
import { tidyEveryMs, tidyMax } from "../defaults.ts";
import type { Tidied } from "../engine.ts";
import type { Ms, Timer } from "../runtime.ts";
import { jittered } from "./backoff.ts";
import type { Contact } from "./contact.ts";
import type { Settings, WorkerParts } from "./settings.ts";

export type HousekeepingParts = Pick<WorkerParts, "engine" | "runtime"> & { readonly settings: Pick<Settings, "leaseMs"> };

const nextPassMs = 1;

export class Housekeeping {
  readonly #parts: HousekeepingParts;
  readonly #contact: Contact;
  readonly #madeReady: () => void;
  #timer: Timer | undefined;
  #pass: Promise<void> | undefined;
  /** What the store's clock showed when a pass was answered, less ours. */
  #aheadMs: number | undefined;
  #isStopped = false;

  /** `madeReady`: a pass may have made jobs ready. */
  constructor(parts: HousekeepingParts, contact: Contact, madeReady: () => void) {
    this.#parts = parts;
    this.#contact = contact;
    this.#madeReady = madeReady;
  }

  start(): void {
    this.#after(jittered(tidyEveryMs, this.#parts.runtime.random()));
  }

  /** Resolves when no pass is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#pass;
  }

  #after(ms: Ms): void {
    this.#timer = this.#parts.runtime.after(ms, () => {
      this.#pass = this.#tidy().finally(() => (this.#pass = undefined));
    });
  }

  async #tidy(): Promise<void> {
    const hasMore = await this.#onePass();
    if (!this.#isStopped) this.#after(hasMore ? nextPassMs : this.#untilNextMs());
  }

  async #onePass(): Promise<boolean> {
    const { engine, runtime, settings } = this.#parts;
    const { missingMs, awayMs } = this.#contact.within(settings.leaseMs);
    const mayExpire = missingMs === 0 && this.#aheadMs !== undefined;
    const expireUntil = Math.floor(runtime.monotonic() + (this.#aheadMs ?? 0) - awayMs);
    try {
      const tidied = await engine.tidy({ items: tidyMax, mayExpire, ...(mayExpire && { expireUntil }) }, at(runtime));
      this.#contact.reached("tidy");
      this.#aheadMs = tidied.now - runtime.monotonic();
      if (hasMadeReady(tidied)) this.#madeReady();
      return tidied.hasMore;
    } catch (error) {
      this.#contact.failed("tidy", error);
      return false;
    }
  }

  /** Sooner where the term ends that lets it take back what dead workers held. */
  #untilNextMs(): Ms {
    const { runtime, settings } = this.#parts;
    const missingMs = Math.ceil(this.#contact.within(settings.leaseMs).missingMs);
    const nextMs = jittered(tidyEveryMs, runtime.random());
    return missingMs > 0 ? Math.min(nextMs, missingMs) : nextMs;
  }
}

function hasMadeReady({ promoted, takenBack, admitted, replayed, skipped, quarantined }: Tidied): boolean {
  return promoted + takenBack + admitted + replayed + skipped + quarantined > 0;
}
