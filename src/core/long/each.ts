/** Loops over a long source, item by item: keeps its place, saves it now and then, and stops between two items when the run is to end. */
import { saveEveryMs } from "../defaults.ts";
import { durationMs, type Duration } from "../duration.ts";
import type { Maybe } from "../engine.ts";
import { ErrandError } from "../errors.ts";
import { checkId } from "../names.ts";
import { aFunction, checkOptions, refuse } from "../options.ts";
import type { Ms, Runtime } from "../runtime.ts";
import type { Run } from "../worker/run.ts";
import { keptText } from "./kept.ts";
import type { Progress } from "./progress.ts";
import type { Yielding } from "./yielding.ts";

export type Items<T> = Iterable<T> | AsyncIterable<T>;
/** Items, or how to get them from a place on: `from` is what `cursor` answered for the last item that was done, undefined at first. */
export type Source<T, Place = number> = Items<T> | ((from: Place | undefined) => Maybe<Items<T>>);

export interface EachOptions<T = never, Place = number> {
  /**
   * Where to go on after this item: any JSON. Where it answers undefined or null, as for a last page, a later run goes on at the item before it that had one,
   * and passes over those that were done. Without it the place is how many items were done.
   */
  readonly cursor?: (item: T) => Place;
  /** How often the place is saved, at most; "0s": after each item. Default 1 s. It is always kept with the run's outcome. */
  readonly saveEvery?: Duration;
  /** Where a task has several loops, each needs a name of its own. Default "each". */
  readonly name?: string;
}

export interface EachParts {
  readonly runtime: Runtime;
  readonly yielding: Yielding;
  readonly run: Run;
  readonly progress: Progress;
}

/** How far it came: `done` items; the last one that told where to go on, and how many behind it that did not, as a last page does. */
interface Place {
  readonly done: number;
  readonly at?: unknown;
  readonly behind?: number;
  readonly isOver?: boolean;
}

export class Loop<T> implements AsyncIterable<T> {
  readonly #parts: EachParts;
  readonly #source: Source<T, unknown>;
  readonly #cursor: ((item: T) => unknown) | undefined;
  readonly #name: string;
  readonly #saveEveryMs: Ms;
  #savedAt: number;

  /** Throws `option-unknown`, `option-invalid`, `name-invalid`, `name-taken`. */
  constructor(parts: EachParts, source: Source<T, unknown>, options: EachOptions<T, unknown>) {
    checkOptions(options, "job.each", {
      cursor: aFunction,
      saveEvery: (value, path) => void durationMs(value as Duration, path),
      name: (value, path) => void checkId(value, path),
    });
    if (typeof source !== "function" && !isItems(source)) refuse("job.each(source)", source, "something to iterate over, or a function that answers it");
    this.#parts = parts;
    this.#source = source;
    this.#cursor = options.cursor;
    this.#name = options.name ?? "each";
    this.#saveEveryMs = options.saveEvery === undefined ? saveEveryMs : durationMs(options.saveEvery, "job.each.saveEvery");
    this.#savedAt = parts.runtime.monotonic();
    parts.progress.begin("loops", this.#name);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    let place = this.#placeBefore();
    if (place.isOver === true) return;
    const items = iteratorOf(await this.#items(place));
    try {
      for (let next = await this.#next(items); next.done !== true; next = await this.#next(items)) {
        yield next.value;
        // Only now the item is done: whoever breaks out or throws does not come back here.
        place = this.#after(place, next.value);
        await this.#saveSometimes();
      }
    } finally {
      // A source that waits for its next item may never answer: its end is not waited for.
      void Promise.resolve(items.return?.()).catch(() => undefined);
    }
    this.#keep({ ...place, isOver: true });
    await this.#parts.progress.write();
  }

  #placeBefore(): Place {
    const kept = this.#parts.progress.of("loops", this.#name);
    return kept === undefined ? { done: 0 } : (JSON.parse(kept) as Place);
  }

  async #items(place: Place): Promise<Items<T>> {
    if (typeof this.#source !== "function") return place.done === 0 ? this.#source : without(this.#source, place.done);
    if (this.#cursor === undefined) return this.#source(place.done);
    const items = await this.#source(place.at);
    return place.behind === undefined ? items : without(items, place.behind);
  }

  /** The next item, or the reason to stop: whichever comes first. */
  async #next(items: Iterator<T> | AsyncIterator<T>): Promise<IteratorResult<T>> {
    const { run, yielding } = this.#parts;
    this.#stopIfAsked();
    let unlisten: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      const stopListening = yielding.onAsked(resolve);
      const aborted = (): void => resolve();
      run.signal.addEventListener("abort", aborted, { once: true });
      unlisten = () => {
        stopListening();
        run.signal.removeEventListener("abort", aborted);
      };
    });
    try {
      const next = await Promise.race([items.next(), asked]);
      if (next !== undefined) return next;
    } finally {
      unlisten();
    }
    this.#stopIfAsked();
    return { done: true, value: undefined };
  }

  #stopIfAsked(): void {
    const { run, yielding } = this.#parts;
    if (!run.isAborted && !yielding.isAsked) return;
    const isHandedBack = run.isHandedBack || !run.isAborted;
    run.isYielded ||= isHandedBack;
    if (run.isAborted) throw run.signal.reason;
    const { id } = run.claimed;
    throw new ErrandError("worker-stopping", `the worker stops and job ${id} is handed back between two items; it goes on from there elsewhere`, {
      details: { job: id },
    });
  }

  #after(place: Place, item: T): Place {
    const moved: Place = this.#cursor === undefined ? { done: place.done + 1 } : placeAfter(place, this.#cursor(item));
    this.#keep(moved);
    return moved;
  }

  #keep({ done, at, behind, isOver }: Place): void {
    const what = `the cursor of loop "${this.#name}"`;
    const text = `{"done":${done}${at === undefined ? "" : `,"at":${keptText(at, what)}`}${behind === undefined ? "" : `,"behind":${behind}`}${isOver === true ? ',"isOver":true' : ""}}`;
    this.#parts.progress.keep("loops", this.#name, text);
  }

  async #saveSometimes(): Promise<void> {
    const { runtime, progress } = this.#parts;
    if (runtime.monotonic() - this.#savedAt < this.#saveEveryMs) return;
    await progress.write();
    this.#savedAt = runtime.monotonic();
  }
}

/** To begin anew at an item without a cursor would do all of them twice. */
function placeAfter({ done, at, behind = 0 }: Place, cursor: unknown): Place {
  if (cursor !== undefined && cursor !== null) return { done: done + 1, at: cursor };
  return { done: done + 1, ...(at !== undefined && { at }), behind: behind + 1 };
}

function isItems(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Symbol.asyncIterator in value || Symbol.iterator in value;
}

function iteratorOf<T>(items: Items<T>): Iterator<T> | AsyncIterator<T> {
  if (!isItems(items)) refuse("what the source of job.each answered", items, "something to iterate over");
  return Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
}

async function* without<T>(items: Items<T>, count: number): AsyncGenerator<T> {
  let passed = 0;
  for await (const item of items) if (passed++ >= count) yield item;
}
