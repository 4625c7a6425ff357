/** What a run's error makes of its job. */
import { durationMs } from "../duration.ts";
import { EndingSignal, type Ending } from "../endings.ts";
import type { RetryPolicy } from "../policy.ts";
import type { Logger, Ms, Runtime } from "../runtime.ts";
import { retryDelayMs } from "./backoff.ts";
import type { Draft, Run } from "./run.ts";
import { subject } from "./runLog.ts";
import { storedError, storedReason } from "./storedError.ts";

export const released: Draft = { is: "released" };

/** A run that threw, or was given up. Follow-up work of a failure is not stored: the next attempt asks for it again. */
export function draftOf(run: Run, thrown: unknown, { runtime, log }: { readonly runtime: Runtime; readonly log: Logger }): Draft {
  if (thrown instanceof EndingSignal) return draftOfEnding(run, thrown.ending);
  const error = storedError(thrown);
  const policy = run.task?.policy.retry;
  const { attempt } = run.claimed;
  if (policy === undefined || attempt >= policy.attempts) return { is: "dead", reason: storedReason(error.message), error };
  const delayMs = delayOf(policy, thrown, attempt, runtime, (failure) =>
    log.error({ ...subject(run), err: failure }, "retry.delay failed; the backoff is used instead"),
  );
  return delayMs === null ? { is: "dead", reason: storedReason(error.message), error } : { is: "retry", delayMs, error };
}

/** The stored payload is not what the task takes: no attempt will ever change that. */
export function draftOfInvalid(thrown: unknown): Draft {
  const error = storedError(thrown);
  const isNamed = error.message.startsWith("payload-invalid");
  return { is: "dead", reason: storedReason(isNamed ? error.message : `payload-invalid: ${error.message}`), error };
}

/** The works that a run handed over ride on the outcomes that its function chose. */
export function withFollow(run: Run, draft: Draft): Draft {
  return run.follow === undefined || run.follow.length === 0 ? draft : { ...draft, follow: run.follow };
}

/** What the run came to and did not save yet, for the next run. */
export function withProgress(run: Run, draft: Draft): Draft {
  const checkpoint = draft.is === "completed" || draft.is === "skipped" ? undefined : run.progress?.unsaved;
  return checkpoint === undefined ? draft : { ...draft, checkpoint };
}

function draftOfEnding(run: Run, ending: Ending): Draft {
  if (ending.is === "snooze") return withFollow(run, { is: "snoozed", delayMs: ending.delayMs });
  if (ending.is === "skip") return withFollow(run, { is: "skipped", reason: storedReason(ending.reason) });
  return { is: "dead", reason: storedReason(ending.reason) };
}

function delayOf(policy: RetryPolicy, thrown: unknown, attempt: number, runtime: Runtime, failed: (failure: unknown) => void): Ms | null {
  if (policy.delay !== undefined) {
    try {
      const delay = policy.delay(thrown, attempt);
      return delay === null ? null : durationMs(delay, "what retry.delay answered");
    } catch (failure) {
      failed(failure);
    }
  }
  return retryDelayMs(policy, attempt, runtime.random());
}
