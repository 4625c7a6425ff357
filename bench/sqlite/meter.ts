/** What a part of an answer cost: its time, and the CPU of those who work on the file. */
import { readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { ownSeconds } from "../ownSeconds.ts";
import type { Meter as AnyMeter } from "../store.ts";
import type { Figures } from "../systems/system.ts";

const nothing = (): Promise<void> => Promise.resolve();

export class Meter implements AnyMeter {
  readonly #folder: string;

  /** The folder holds nothing else. */
  constructor(file: string) {
    this.#folder = dirname(file);
  }

  async during(jobs: number, part: () => Promise<unknown>, clientSeconds: () => Promise<number> = ownSeconds): Promise<Figures> {
    const before = await clientSeconds();
    const begin = performance.now();
    await part();
    const ms = performance.now() - begin;
    return { perSecond: jobs / (ms / 1_000), clientMicroseconds: (((await clientSeconds()) - before) * 1e6) / jobs };
  }

  settle = nothing;
  watch = nothing;
  close = nothing;

  storedBytes(): Promise<number> {
    return Promise.resolve(readdirSync(this.#folder).reduce((sum, name) => sum + statSync(join(this.#folder, name)).size, 0));
  }

  /** There is no server. */
  steps(): Promise<Figures> {
    return Promise.resolve({});
  }
}
