/** `job.commit(tx)`: the completion of a job in its app's own transaction, so that it stands or falls with the rows written there. */
import { at } from "../at.ts";
import { skip } from "../endings.ts";
import type { Engine, Outcome, Settled } from "../engine.ts";
import { ErrandError } from "../errors.ts";
import { difference } from "../guard/compare.ts";
import { isThenable } from "../maybe.ts";
import type { Runtime } from "../runtime.ts";
import type { Run } from "./run.ts";

export interface CommitParts {
  readonly engine: Engine;
  readonly runtime: Runtime;
}

/** A promise where the engine's transactions are asynchronous. Throws where the caller's transaction must not commit. */
export function commit(run: Run, input: unknown, tx: unknown, { engine, runtime }: CommitParts): void | Promise<void> {
  if (run.isOver || run.isLost) throw lost(run);
  const wasCommitted = run.isCommitted;
  const isSync = engine.joins(tx) === "sync";
  const settle = (): Settled[] | Promise<Settled[]> => engine.settle([completion(run, runtime)], { ...at(runtime), tx });
  if (!isSync) return committedLater(run, input, tx, settle);
  checkNow(run, input, tx, wasCommitted);
  const settled = settle();
  if (settled instanceof Promise)
    throw new ErrandError("tx-unsupported", "this engine cannot settle inside a synchronous transaction; use its own kind of transaction");
  judge(run, settled[0], wasCommitted);
  run.isCommitted = true;
}

async function committedLater(run: Run, input: unknown, tx: unknown, settle: () => Settled[] | Promise<Settled[]>): Promise<void> {
  const wasCommitted = run.isCommitted;
  // Until it is known, the run must not be completed otherwise, also where nobody awaits this.
  run.isCommitted = true;
  try {
    const { task, premise } = run;
    if (premise !== undefined && task?.current !== undefined) refuseStale(run, difference(premise, await task.current(input, tx as never)), wasCommitted);
    judge(run, (await settle())[0], wasCommitted);
  } catch (error) {
    run.isCommitted = wasCommitted;
    throw error;
  }
}

function completion(run: Run, runtime: Runtime): Outcome {
  const ranMs = Math.max(0, Math.round(runtime.monotonic() - run.startedAt));
  return run.outcome({ is: "completed", ...(run.follow !== undefined && run.follow.length > 0 && { follow: run.follow }) }, ranMs);
}

function checkNow(run: Run, input: unknown, tx: unknown, wasCommitted: boolean): void {
  const { task, premise } = run;
  if (premise === undefined || task?.current === undefined) return;
  const found = task.current(input, tx as never);
  if (isThenable(found)) {
    Promise.resolve(found).catch(() => undefined); // its answer is of no use any more
    throw new ErrandError(
      "guard-async",
      `current of ${task.name} answered a promise inside a synchronous transaction; where tx is given, read through it and return the value`,
      {
        details: { task: task.name },
      },
    );
  }
  refuseStale(run, difference(premise, found), wasCommitted);
}

/** With "skip" the job ends so, once the error has left the run; else it is tried again, on what is there then. */
function refuseStale(run: Run, reason: string | undefined, wasCommitted: boolean): void {
  if (reason === undefined) return;
  // What a second commit finds changed is most often what the first one wrote.
  if (wasCommitted) throw committedBefore(run.claimed.id);
  if (run.task?.ifStale === "skip") skip(reason);
  const { id } = run.claimed;
  throw new ErrandError("guard-stale", `job ${id} must not commit: ${reason}; let this error leave your transaction and the run, the job is tried again`, {
    details: { job: id, reason },
  });
}

function judge(run: Run, answer: Settled | undefined, wasCommitted: boolean): void {
  const { id } = run.claimed;
  switch (answer?.is) {
    case "settled":
      return;
    case "refused":
      throw answer.error ?? lost(run);
    case "cancelled":
      throw new ErrandError("job-cancelled", `job ${id} was cancelled while it ran, so it cannot commit; let this error roll your transaction back`, {
        details: { job: id },
      });
    default:
      throw wasCommitted ? committedBefore(id) : lost(run);
  }
}

/** A commit may be tried again where the transaction of the one before was rolled back. */
function committedBefore(id: string): ErrandError {
  return new ErrandError("job-committed", `job ${id} was given to job.commit before; call it once, in the transaction that holds all of the effect`, {
    details: { job: id },
  });
}

function lost(run: Run): ErrandError {
  const { id } = run.claimed;
  return new ErrandError("lease-lost", `job ${id} is no longer this run's, so it cannot commit; let this error roll your transaction back`, {
    details: { job: id },
  });
}
