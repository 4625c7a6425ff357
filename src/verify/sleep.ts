/** Waiting, on the platform's timers. */
import { after } from "../runtime/timers.ts";

/** Rejects with the signal's reason. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(reasonOf(signal));
    const stop = (): void => {
      timer.cancel();
      if (signal !== undefined) reject(reasonOf(signal));
    };
    const timer = after(ms, () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    });
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** For those who wait for something else, but no longer: it keeps no process alive. */
export function late(ms: number): Promise<void> {
  return new Promise((resolve) => void after(ms, resolve, { background: true }));
}

function reasonOf({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
