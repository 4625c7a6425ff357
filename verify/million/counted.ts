/** What a worker of the million does: it counts how often each job was started, and nothing else. */
import { task, type Task } from "../../src/index.ts";

export interface Counted {
  readonly n: number;
}

/** `starts[n]`: of job n, in this process. */
export function countingInto(starts: Uint8Array): Task<Counted> {
  return task<Counted>("counted", {
    keep: { completed: "1s" },
    run: ({ n }) => {
      starts[n] = Math.min(255, (starts[n] ?? 0) + 1);
    },
  });
}
