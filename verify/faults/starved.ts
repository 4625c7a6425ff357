/** A process that the machine left no time is as one that was stopped, though nobody did it: it notices by itself, and writes that down. */
import { machineMs } from "../../src/runtime/machineClock.ts";
import type { StarvedLine } from "./history.ts";

const lookEveryMs = 100;
/** A look that comes so late tells of it. */
export const lateMs = 400;

/** `on`: the process; "*": it stands between all of them and their server. Answers what ends it. */
export function watchStarving(on: string, note: (line: StarvedLine) => void): () => void {
  let last = machineMs();
  const timer = setInterval(() => {
    const now = machineMs();
    if (now - last > lateMs) note({ is: "fault", kind: "hang", on, from: last, to: now, by: "machine" });
    last = now;
  }, lookEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}
