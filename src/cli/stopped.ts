/** Waits until a worker has stopped by a signal, and tells the person at the keyboard what goes on meanwhile. */
import type { RunningWorker } from "../index.ts";
import { remark } from "./output.ts";

const signals = ["SIGINT", "SIGTERM"] as const;

/** Call it right after the start: the worker's own listener must be the first to hear a signal. */
export async function stopped(worker: RunningWorker, grace: string): Promise<void> {
  let heard = 0;
  const hear = (signal: NodeJS.Signals): void => {
    heard += 1;
    if (heard === 1) remark(`stopping: running jobs have ${grace} to end; ${signal === "SIGINT" ? "Ctrl-C" : signal} again hands them back at once`);
    else if (heard === 2) remark("handing back what still runs");
    else process.exit(1); // what it holds runs again elsewhere when its lease has ended
  };
  for (const signal of signals) process.on(signal, hear);
  await worker.stopped;
}
