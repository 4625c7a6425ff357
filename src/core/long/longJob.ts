/** What a run sees of its job's progress: the checkpoint, its steps and its loops. Nothing is read or made before the run asks for it. */
import type { Maybe } from "../engine.ts";
import { parse } from "../schema.ts";
import type { Runtime } from "../runtime.ts";
import type { AnyTask } from "../task.ts";
import type { Run } from "../worker/run.ts";
import { Loop, type EachOptions, type Source } from "./each.ts";
import { keptText } from "./kept.ts";
import { Progress, type Saves } from "./progress.ts";
import { step, type Step } from "./step.ts";
import type { Yielding } from "./yielding.ts";

export interface LongParts {
  readonly runtime: Runtime;
  readonly saves: Saves;
  readonly yielding: Yielding;
}

export class LongJob {
  readonly #run: Run;
  readonly #parts: LongParts;

  constructor(run: Run, parts: LongParts) {
    this.#run = run;
    this.#parts = parts;
  }

  get checkpoint(): unknown {
    const run = this.#run;
    if (run.checkpoint !== undefined) return run.checkpoint.value;
    if (run.progress === undefined && run.claimed.checkpoint === undefined) return undefined;
    const text = this.#progress.of("own", "saved");
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  }

  async save(value: unknown): Promise<void> {
    const { task, claimed } = this.#run;
    const what = `the checkpoint of ${claimed.task}`;
    if (task?.checkpoint !== undefined) await parse(task.checkpoint, value, checkpointOf(claimed.task));
    const text = keptText(value, what);
    this.#progress.keep("own", "saved", text);
    this.#run.checkpoint = { value: JSON.parse(text) as unknown };
    await this.#progress.write();
  }

  each<T>(source: Source<T, unknown>, options: EachOptions<T, unknown>): AsyncIterable<T> {
    return new Loop({ ...this.#parts, run: this.#run, progress: this.#progress }, source, options);
  }

  step<T>(name: string, fn: Step<T>): Promise<T> {
    return step(this.#progress, this.#run.claimed.id, name, fn);
  }

  get #progress(): Progress {
    const run = this.#run;
    run.progress ??= new Progress(run, this.#parts.saves, run.claimed.checkpoint);
    return run.progress;
  }
}

/** What an earlier run saved, as the task's schema answers it. Undefined: there is nothing to check. Throws or rejects with `payload-invalid`. */
export function checkedCheckpoint(run: Run, task: AnyTask): Maybe<unknown> {
  const { checkpoint } = run.claimed;
  if (task.checkpoint === undefined || checkpoint === undefined) return undefined;
  const { own } = JSON.parse(checkpoint) as { readonly own?: { readonly saved?: unknown } };
  if (own?.saved === undefined) return undefined;
  const parsed = parse(task.checkpoint, own.saved, checkpointOf(task.name));
  const keep = (value: unknown): void => void (run.checkpoint = { value });
  return parsed instanceof Promise ? parsed.then(keep) : keep(parsed);
}

function checkpointOf(task: string): string {
  return `${task} (its checkpoint)`;
}
