/** Which homes answer. One that failed keeps nobody waiting for long until it has answered again: what hangs would hold up what goes on. */
import { headMs } from "../../core/defaults.ts";
import { ErrandError } from "../../core/errors.ts";
import type { Instant, Ms, Runtime } from "../../core/runtime.ts";
import type { Home } from "./home.ts";

/** One that is back answers sooner. */
const patienceMs: Ms = 250;

interface Away {
  readonly error: unknown;
  /** By the monotonic clock: when it is looked for again. Infinity: it is looked for. */
  until: Instant;
  isBack: boolean;
}

export class Reach {
  readonly #homes: readonly Home[];
  readonly #runtime: Runtime;
  readonly #away: Map<number, Away> = new Map();
  /** By the monotonic clock, of those that were away: when they were back. */
  readonly #back: Map<number, Instant> = new Map();

  constructor(homes: readonly Home[], runtime: Runtime) {
    this.#homes = homes;
    this.#runtime = runtime;
  }

  /** Throws how it failed last where it does not answer. */
  async on<T>(home: number, call: (home: Home) => Promise<T>): Promise<T> {
    const found = this.#homes[home];
    if (found === undefined) throw new ErrandError("store-failed", `there is no partition ${home}`);
    const away = this.#away.get(home);
    if (away !== undefined && !(await this.#isBack(found, away))) throw away.error;
    try {
      const answer = await call(found);
      if (this.#away.delete(home)) this.#returned(found);
      return answer;
    } catch (error) {
      const isNews = !this.#away.has(home);
      this.#away.set(home, { until: this.#runtime.monotonic() + headMs, error, isBack: false });
      if (isNews) this.#runtime.log.warn({ home: found.key, err: error }, "a partition does not answer; what it holds waits for it, the others go on");
      throw error;
    }
  }

  /** Whether it has answered for so long without a gap, as far as it was asked. */
  isSteady(home: number, ms: Ms): boolean {
    const back = this.#back.get(home);
    return !this.#away.has(home) && (back === undefined || this.#runtime.monotonic() - back >= ms);
  }

  #returned(home: Home): void {
    this.#back.set(home.number, this.#runtime.monotonic());
    this.#runtime.log.info({ home: home.key }, "the partition answers again");
  }

  /** Who looks waits a little for what he finds; who comes meanwhile does not. */
  async #isBack(home: Home, away: Away): Promise<boolean> {
    if (away.isBack || this.#runtime.monotonic() < away.until) return away.isBack;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#runtime.after(patienceMs, resolve, { background: true });
    await Promise.race([this.#look(home, away), promise]);
    timer.cancel();
    return away.isBack;
  }

  /** An answer that comes late is good for the next who asks. */
  async #look(home: Home, away: Away): Promise<void> {
    away.until = Infinity;
    try {
      await home.connection.ask("ping");
      away.isBack = true;
    } catch {
      away.until = this.#runtime.monotonic() + headMs;
    }
  }
}
