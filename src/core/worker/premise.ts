/** The guard of a run (G15): what its job was enqueued on is compared with what is there, after the claim and right before the run. */
import { difference, premiseNow } from "../guard/compare.ts";
import type { Stale } from "../guard/expected.ts";
import { followed } from "../maybe.ts";
import type { AnyTask, Job } from "../task.ts";
import type { Run } from "./run.ts";
import { storedReason } from "./storedError.ts";

/** Goes on with what `current` answers. Without going on, `run.draft` tells why. */
export function onPremise(run: Run, task: AnyTask, input: unknown, job: Job, next: (current: unknown) => unknown): unknown {
  const { current } = task;
  if (current === undefined) return next(undefined);
  return followed(current(input), (found) => {
    if (run.isVoid) return undefined;
    const { expecting } = run.claimed;
    if (expecting === undefined) return next(found ?? undefined);
    run.premise = { fields: JSON.parse(expecting) as unknown };
    const reason = difference(run.premise, found);
    return reason === undefined ? next(found) : stale(run, task, input, job, { reason, found: found ?? undefined }, next);
  });
}

function stale(
  run: Run,
  task: AnyTask,
  input: unknown,
  job: Job,
  { reason, found }: { reason: string; found: unknown },
  next: (current: unknown) => unknown,
): unknown {
  const { ifStale } = task;
  if (ifStale === "skip") {
    run.draft = { is: "skipped", reason: storedReason(reason) };
    return undefined;
  }
  const before = run.premise ?? { fields: undefined };
  run.premise = premiseNow(before, found);
  if (ifStale === "refresh") return next(found);
  const told: Stale<unknown> = { expected: before.fields as Stale<unknown>["expected"], found, reason };
  return followed(ifStale.conflict(input, told, job), () => next(found));
}
