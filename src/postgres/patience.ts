/** Waits that a driver does not bound by itself. */
import type { Ms, Runtime } from "../core/runtime.ts";

export type After = Runtime["after"];

/** Rejects with `late()` where `work` takes longer. What comes after that is nobody's, and handed to `leave`. Without a clock it waits. */
export function within<T>(after: After | undefined, ms: Ms, work: Promise<T>, late: () => Error, leave: (answer: T) => void = () => undefined): Promise<T> {
  if (after === undefined) return work;
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = after(
      ms,
      () => {
        isLate = true;
        reject(late());
      },
      { background: true },
    );
    work.then(
      (answer) => {
        timer.cancel();
        if (isLate) leave(answer);
        else resolve(answer);
      },
      (error: unknown) => {
        timer.cancel();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}
