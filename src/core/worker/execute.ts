/** From a stored payload to the task's own function: parsed once, checked, mapped or guarded, then done. */
import { derivedId } from "../keys.ts";
import type { Maybe, NewJob } from "../engine.ts";
import { ErrandError } from "../errors.ts";
import { parse } from "../schema.ts";
import type { AnyTask, Task } from "../task.ts";
import type { AnySubscription } from "../when.ts";
import { RunningJob } from "./job.ts";
import { draftOfInvalid } from "./outcome.ts";
import type { Run } from "./run.ts";
import type { RunLog } from "./runLog.ts";
import type { WorkerParts } from "./settings.ts";
import { storedReason } from "./storedError.ts";

export type ExecuteParts = Pick<WorkerParts, "definitions" | "planner"> & {
  readonly runLog: RunLog;
  readonly unknown: (run: Run, what: string) => void;
  readonly isRetired: (subscription: string) => Promise<boolean>;
};

/** A task or subscription that is gone here may be known elsewhere, or again after the next deploy (G22). */
const unknownDelayMs = 30_000;

/** Throws or rejects as the run does. What else it came to stands in `run.draft`; what it answers is of no meaning. */
export function execute(run: Run, parts: ExecuteParts): unknown {
  parts.runLog.say(run, "attempting");
  const { task } = run;
  if (task === undefined) return defer(run, `task "${run.claimed.task}" is not defined here`, parts);
  let value: unknown;
  try {
    value = JSON.parse(run.claimed.payload);
  } catch (error) {
    run.draft = draftOfInvalid(
      new ErrandError("payload-invalid", `the stored payload of ${task.name} is no JSON; delete the job, or enqueue it again`, { cause: error }),
    );
    return undefined;
  }
  return run.claimed.from?.isHop === true ? hop(run, value, parts) : work(run, task, value, parts);
}

function work(run: Run, task: AnyTask, value: unknown, parts: ExecuteParts): unknown {
  if (task.input === undefined) return guarded(run, task, value, parts);
  return parsed(
    run,
    () => parse(task.input, value, task.name),
    (input) => guarded(run, task, input, parts),
  );
}

function guarded(run: Run, task: AnyTask, input: unknown, parts: ExecuteParts): unknown {
  if (task.unless === undefined) return perform(run, task, input, parts);
  const answer = task.unless(input);
  const decide = (reason: unknown): unknown => {
    if (!reason) return perform(run, task, input, parts);
    run.draft = { is: "skipped", reason: storedReason(reason) };
    return undefined;
  };
  return isThenable(answer) ? Promise.resolve(answer).then(decide) : decide(answer);
}

function perform(run: Run, task: AnyTask, input: unknown, parts: ExecuteParts): unknown {
  // Its time was over while it looked before doing: what it would do now counts for nothing.
  if (run.verdict !== undefined || run.isOver || run.isLost) return undefined;
  parts.runLog.say(run, "doing");
  return task.run(input, new RunningJob(run, parts.planner));
}

/** A hop maps an event for one subscription, and leaves the job that this makes. */
function hop(run: Run, value: unknown, parts: ExecuteParts): unknown {
  const { from } = run.claimed;
  const subscription = from && parts.definitions.subscriptions.get(from.subscription);
  if (from === undefined) return defer(run, "its subscription is not known", parts);
  if (subscription === undefined) return deferUnlessRetired(run, from.subscription, parts);
  const { event } = subscription;
  return parsed(
    run,
    () => parse(event.payload, value, event.name),
    (output) => {
      const mapped = subscription.map === undefined ? output : subscription.map(output);
      if (mapped === undefined) {
        run.draft = { is: "skipped", reason: "not for this subscriber" };
        return undefined;
      }
      parts.runLog.say(run, "doing");
      const job = parts.planner.job(errandOf(subscription, mapped), derivedId(from.eventId, from.subscription, "job"));
      return job instanceof Promise ? job.then((made) => leave(run, made, from)) : leave(run, job, from);
    },
  );
}

function errandOf(subscription: AnySubscription, input: unknown): ReturnType<Task<unknown>["with"]> {
  return (subscription.task as unknown as Task<unknown>).with(input as never);
}

function leave(run: Run, job: NewJob, from: NonNullable<NewJob["from"]>): void {
  run.draft = { is: "completed", follow: [{ ...job, from: { ...from, isHop: false } }] };
}

/** Unsubscribed meanwhile: no worker will ever have it again. */
async function deferUnlessRetired(run: Run, subscription: string, parts: ExecuteParts): Promise<void> {
  if (await parts.isRetired(subscription)) run.draft = { is: "skipped", reason: `its subscription ${subscription} was retired` };
  else defer(run, `subscription "${subscription}" is not defined here`, parts);
}

function defer(run: Run, what: string, parts: ExecuteParts): void {
  run.draft = { is: "snoozed", delayMs: unknownDelayMs, reason: `${what}; start a worker that has it` };
  parts.unknown(run, what);
}

/** Goes on with the schema's output; what does not fit is dead at once, other failures of a schema are the run's. */
function parsed(run: Run, read: () => Maybe<unknown>, next: (output: unknown) => unknown): unknown {
  let output: Maybe<unknown>;
  try {
    output = read();
  } catch (error) {
    return refused(run, error);
  }
  return output instanceof Promise ? output.then(next, (error: unknown) => refused(run, error)) : next(output);
}

function refused(run: Run, error: unknown): void {
  if (!ErrandError.is(error, "payload-invalid")) throw error;
  run.draft = draftOfInvalid(error);
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
