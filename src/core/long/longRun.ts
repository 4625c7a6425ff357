/** What a run can do about its own length, as a task's function sees it. */
import type { Json } from "../typing.ts";
import type { EachOptions, Source } from "./each.ts";
import type { Step } from "./step.ts";

/** A loop whose place is not the number of its items needs the cursor that tells it. */
export type EachArguments<T, Place> = [Place] extends [number]
  ? [options?: EachOptions<T, Place>]
  : [options: EachOptions<T, Place> & { readonly cursor: (item: T) => Place }];

export interface LongRun<Saved = Json> {
  /** What was saved last, by this run or one before it. */
  readonly checkpoint: Saved | undefined;
  /**
   * Keeps a checkpoint, under the run's own fence: the next run, after a failure, a crash or a hand-back, finds it. Resolves when it is stored; several at once
   * share a write, the last one counts. At most 256 KiB of JSON, with the results of steps and the places of loops. The task's `timeout` goes on all the while.
   * Throws `lease-lost` (another has the job: stop), `checkpoint-too-large`, `payload-not-json`, `payload-invalid`; then the one before stands.
   */
  save(checkpoint: Saved): Promise<void>;
  /**
   * Goes through a long source and keeps its place: the next run goes on behind the last item that was done. An item is done when the loop asks for the next
   * one. When the worker stops, the loop ends between two items, and the job is handed back without being charged; so it does on cancel and timeout.
   *
   *     for await (const page of job.each((from?: string) => pages(from), { cursor: (page) => page.next })) await load(page);
   *
   * Without a function, a source must give the same items in the same order again: those that were done are passed over.
   * Throws `worker-stopping`, `job-cancelled`, `job-timeout`, `lease-lost` out of the loop: let them pass. `name-taken`: a second loop needs a `name`.
   */
  each<T, Place = number>(source: Source<T, Place>, ...options: EachArguments<T, Place>): AsyncIterable<T>;
  /**
   * Does something once for all runs of the job: its result is kept, and answered to every later run in place of doing it again. A crash between the effect
   * and its keeping repeats it: pass `idempotencyKey` on. The result is JSON, and small. What `fn` throws is not kept.
   *
   *     const payment = await job.step("charge", (idempotencyKey) => psp.charge(invoice, { idempotencyKey }));
   *
   * Throws `name-taken` for a second step of that name in one run, `payload-not-json`, `checkpoint-too-large`, `lease-lost`.
   */
  step<T>(name: string, fn: Step<T>): Promise<T>;
}
