/** Engines on a server, and what they said. */
import type { Engine } from "../../src/core/engine.ts";
import type { Logger } from "../../src/core/runtime.ts";
import { redis } from "../../src/redis/index.ts";
import type { RedisOptions } from "../../src/redis/index.ts";
import { StillRuntime } from "../port/stillRuntime.ts";

export interface Said {
  readonly level: string;
  readonly message: string;
  readonly details: object;
}

/** Waits so long pass only when they are let. */
const longMs = 10_000;

/** A real clock for what is short; what is logged is kept. */
export class ToldRuntime extends StillRuntime {
  static #made = 0;
  /** Ids are as different as in real life, also between two of these. */
  readonly #own = `${process.pid}-${(ToldRuntime.#made += 1)}-`;
  readonly #long: Set<() => void> = new Set();
  readonly said: Said[] = [];
  override readonly log: Logger = {
    debug: (details: object, message: string) => this.#say("debug", details, message),
    info: (details: object, message: string) => this.#say("info", details, message),
    warn: (details: object, message: string) => this.#say("warn", details, message),
    error: (details: object, message: string) => this.#say("error", details, message),
  };

  override after(ms: number, fn: () => void, options: { readonly background?: boolean } = {}): { cancel(): void } {
    if (ms < longMs) return super.after(ms, fn, options);
    this.#long.add(fn);
    return { cancel: () => void this.#long.delete(fn) };
  }

  override id(): string {
    return this.#own + super.id();
  }

  /** How many long waits there are. */
  get waiting(): number {
    return this.#long.size;
  }

  /** All long waits that there are now are over. */
  pass(): void {
    const over = [...this.#long];
    this.#long.clear();
    for (const fn of over) fn();
  }

  of(level: string): readonly string[] {
    return this.said.filter((each) => each.level === level).map(({ message }) => message);
  }

  #say(level: string, details: object, message: string): undefined {
    this.said.push({ level, message, details });
  }
}

export interface Open extends AsyncDisposable {
  readonly engine: Engine;
  readonly runtime: ToldRuntime;
}

export async function opened(given: Parameters<typeof redis>[0], options: RedisOptions = {}): Promise<Open> {
  const engine = redis(given, options);
  const runtime = new ToldRuntime();
  await engine.open({ runtime });
  return { engine, runtime, [Symbol.asyncDispose]: () => engine.close() };
}
