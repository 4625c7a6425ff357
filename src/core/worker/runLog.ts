/** The log of a run, at debug level: three lines a job cost more than the job, so nothing is built where nobody reads it. */
import type { Logger } from "../runtime.ts";
import type { Run } from "./run.ts";

export class RunLog {
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  say(run: Run, message: "attempting" | "doing" | "finishing"): void {
    if (this.#isOn()) this.#log.debug(subject(run), message);
  }

  skipping(run: Run, reason: string | undefined): void {
    if (this.#isOn()) this.#log.debug(subject(run), `skipping "${reason}"`);
  }

  failing(run: Run, error: unknown, next: string): void {
    if (this.#isOn()) this.#log.debug({ ...subject(run), err: error }, next);
  }

  #isOn(): boolean {
    return this.#log.isLevelEnabled?.("debug") ?? true;
  }
}

export function subject(run: Run): { readonly job: string; readonly task: string; readonly attempt: number } {
  const { id, task, attempt } = run.claimed;
  return { job: id, task, attempt };
}
