/** Named steps of a run: what one answered is kept, so that the next run does not repeat it. */
import type { Maybe } from "../engine.ts";
import { checkId } from "../names.ts";
import { aFunction } from "../options.ts";
import { keptText } from "./kept.ts";
import type { Progress } from "./progress.ts";

/** A step's function. `idempotencyKey`: the same for this step of this job, in every run. */
export type Step<T> = (idempotencyKey: string) => Maybe<T>;

/** Throws `name-taken`, `payload-not-json`, `checkpoint-too-large`, `lease-lost`, and what the function throws; then nothing is kept. */
export async function step<T>(progress: Progress, jobId: string, name: string, fn: Step<T>): Promise<T> {
  checkId(name, "the step");
  aFunction(fn, `job.step("${name}", fn)`);
  progress.begin("steps", name);
  const kept = progress.of("steps", name);
  if (kept !== undefined) return (JSON.parse(kept) as { readonly value?: unknown }).value as T;
  const value = await fn(`${jobId}:${name}`);
  progress.keep("steps", name, value === undefined ? "{}" : `{"value":${keptText(value, `the result of step "${name}"`)}}`);
  await progress.write();
  return value;
}
