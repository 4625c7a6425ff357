/** From a stored payload to the task's own function: parsed once, checked, mapped or guarded, then done. */
import { derivedId } from "../keys.ts";
import type { Maybe, NewJob } from "../engine.ts";
import { ErrandError } from "../errors.ts";
import { followed } from "../maybe.ts";
import { parse } from "../schema.ts";
import type { AnyTask, Task } from "../task.ts";
import type { AnySubscription } from "../when.ts";
import { jittered } from "./backoff.ts";
import { firstVersion, inputOf } from "./input.ts";
import type { Find } from "./before.ts";
import { RunningJob } from "./job.ts";
import { draftOfInvalid } from "./outcome.ts";
import { checkedCheckpoint, type LongParts } from "../long/longJob.ts";
import type { Run } from "./run.ts";
import type { RunLog } from "./runLog.ts";
import type { WorkerParts } from "./settings.ts";
import { onPremise } from "./premise.ts";
import { resultOf } from "./result.ts";
import { storedReason } from "./storedError.ts";

export type ExecuteParts = Pick<WorkerParts, "definitions" | "planner" | "runtime"> &
  Partial<Pick<WorkerParts, "engine">> & {
    readonly runLog: RunLog;
    readonly long: LongParts;
    readonly find: Find;
    readonly unknown: (run: Run, what: string) => void;
    readonly isRetired: (subscription: string) => Promise<boolean>;
  };

/** A task or subscription that is gone here may be known elsewhere, or again after the next deploy (G22). */
const unknownDelayMs = 30_000;
const unknownDelayFirstMs = 1_000;

/** Throws or rejects as the run does. What else it came to stands in `run.draft`; what it answers is of no meaning. */
export function execute(run: Run, parts: ExecuteParts): unknown {
  parts.runLog.say(run, "attempting");
  const { task } = run;
  if (task === undefined) return defer(run, `task "${run.claimed.task}" is not defined here`, parts);
  const { version = firstVersion } = run.claimed;
  const known = task.policy.version ?? firstVersion;
  if (version > known) return defer(run, `version ${version} of task "${task.name}" is not known here, but ${known}`, parts);
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
  if (task.input === undefined && task.upgrade === undefined && task.merge === undefined) return resumed(run, task, value, parts);
  return parsed(
    run,
    () => inputOf(task, value, run.claimed.version),
    (input) => resumed(run, task, input, parts),
  );
}

/** What an earlier run saved must fit too: to begin anew in silence could repeat what was done. */
function resumed(run: Run, task: AnyTask, input: unknown, parts: ExecuteParts): unknown {
  if (task.checkpoint === undefined || run.claimed.checkpoint === undefined) return guarded(run, task, input, parts);
  return parsed(
    run,
    () => checkedCheckpoint(run, task),
    () => guarded(run, task, input, parts),
  );
}

function guarded(run: Run, task: AnyTask, input: unknown, parts: ExecuteParts): unknown {
  if (task.current === undefined && run.claimed.expecting !== undefined) return defer(run, `the \`current\` of task "${task.name}" is not defined here`, parts);
  const go = (): unknown => {
    const job = new RunningJob(run, input, parts);
    return onPremise(run, task, input, job, (current) => perform(run, task, input, job, current, parts));
  };
  if (task.unless === undefined) return go();
  return followed(task.unless(input), (reason) => {
    if (!reason) return go();
    run.draft = { is: "skipped", reason: storedReason(reason) };
    return undefined;
  });
}

function perform(run: Run, task: AnyTask, input: unknown, job: RunningJob, current: unknown, parts: ExecuteParts): unknown {
  // Its time was over while it looked before doing.
  if (run.isVoid) return undefined;
  parts.runLog.say(run, "doing");
  const answer = task.run(input, job, current);
  if (task.result === undefined) return answer;
  // A run that handed back the rest of its loop has come to nothing yet; one that commits in the app's transaction has no result.
  const keep = (result: unknown): void => void (run.draft = { is: "completed", ...(result !== undefined && { result: result as string }) });
  return followed(answer, (value) => (run.isYielded || run.isCommitted ? undefined : followed(resultOf(task, value), keep)));
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
  // Soon at first: in a rolling deploy somebody else has it already. Workers that lack it compete with those, so it may take several turns.
  const delayMs = Math.round(jittered(Math.min(unknownDelayMs, unknownDelayFirstMs * 2 ** Math.min(run.claimed.starts - 1, 30)), parts.runtime.random()));
  run.draft = { is: "snoozed", delayMs, reason: `${what}; start a worker that has it` };
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
