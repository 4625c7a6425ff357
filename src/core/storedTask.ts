/** A task's policy as data, for those who store its jobs without its code. */
import type { StoredTask } from "./notes.ts";
import type { AnyTask } from "./task.ts";

export function storedTask({ name, policy }: AnyTask): StoredTask {
  return {
    task: name,
    queue: policy.queue,
    headStartMs: policy.headStartMs,
    ...(policy.orderedBy && { orderedBy: policy.orderedBy, ifDead: policy.ifDead }),
    ...(policy.uniqueBy && { uniqueBy: policy.uniqueBy, uniqueMode: policy.uniqueMode }),
    ...(policy.keyLimits && { keyLimits: policy.keyLimits }),
    keep: policy.keep,
    ...(policy.version !== undefined && { version: policy.version }),
  };
}
