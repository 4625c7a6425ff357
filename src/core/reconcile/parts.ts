/** What `find` answers, in parts that are worked through one after the other. */
import { enqueueMax } from "../defaults.ts";
import { refuse } from "../options.ts";
import type { Ms, Runtime } from "../runtime.ts";
import type { Found } from "./reconcile.ts";

/** What comes slowly is not kept waiting for more. */
const partWithinMs: Ms = 1_000;
/** An atom's, with room for the event at the end. */
export const partMax: number = enqueueMax - 1;

/** Rejects with the signal's reason once that is aborted, whatever `find` waits for. */
export async function* partsOf(found: Found<unknown>, signal: AbortSignal, runtime: Runtime, owner: string): AsyncGenerator<unknown[]> {
  const aborted = abortOf(signal);
  if (isAsyncIterable(found)) {
    yield* read(found, aborted, runtime);
    return;
  }
  const all: unknown = await Promise.race([found, aborted]);
  if (!Array.isArray(all)) refuse(`what ${owner} found`, all, "an async iterable of inputs, or a promise of an array");
  for (let start = 0; start < all.length; start += partMax) yield all.slice(start, start + partMax);
}

async function* read(found: AsyncIterable<unknown>, aborted: Promise<never>, runtime: Runtime): AsyncGenerator<unknown[]> {
  const iterator = found[Symbol.asyncIterator]();
  let part: unknown[] = [];
  let since = runtime.monotonic();
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted]);
      if (next.done === true) break;
      part.push(next.value);
      if (part.length < partMax && runtime.monotonic() - since < partWithinMs) continue;
      yield part;
      part = [];
      since = runtime.monotonic();
    }
  } finally {
    // It may itself wait for something that never comes: nobody waits for it.
    iterator.return?.().then(undefined, () => undefined);
  }
  if (part.length > 0) yield part;
}

/** Rejects when the signal is aborted; never resolves. */
function abortOf(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  if (signal.aborted) reject(signal.reason);
  else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  return promise;
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof (value as Partial<AsyncIterable<unknown>> | null | undefined)?.[Symbol.asyncIterator] === "function";
}
