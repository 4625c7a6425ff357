/** Runs one job in a child process, so that a job that kills its process kills only that. */
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ChildEnd, ChildPlan } from "../core/runtime.ts";
import type { ChildOrder, ChildReport, ParentAnswer } from "./childEntry.ts";
import { inheritedFlags } from "./inheritedFlags.ts";
import { neighbour } from "./neighbour.ts";

/** Rejects where the child could not be started, or its module not be loaded: the job did nothing wrong then. */
export function spawn(plan: ChildPlan): Promise<ChildEnd> {
  if (plan.signal.aborted) return Promise.resolve({ is: "died", code: null, signal: "SIGKILL" });
  const child = fork(fileURLToPath(neighbour("childEntry")), {
    execArgv: inheritedFlags(process.execArgv),
    serialization: "json",
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const kill = (): void => void child.kill("SIGKILL");
  plan.signal.addEventListener("abort", kill, { once: true });
  return endOf(child, plan).finally(() => plan.signal.removeEventListener("abort", kill));
}

function endOf(child: ChildProcess, { module, argument, asked }: ChildPlan): Promise<ChildEnd> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.on("message", (report: ChildReport) => {
      if ("question" in report) void answer(child, report.number, asked?.(report.question));
      else if ("failed" in report)
        reject(Object.assign(new Error(`the child process could not run its job: ${report.failed.message}`), { stack: report.failed.stack }));
      else resolve({ is: "answered", message: report.message });
    });
    // "close", not "exit": a message that is still in the channel comes first.
    child.once("close", (code, signal) => resolve({ is: "died", code, signal }));
    const order: ChildOrder = { module, argument };
    // It may be dead before it took the order; how it died is told by "close".
    child.send(order, () => undefined);
  });
}

/** A child that is gone meanwhile needs no answer. */
async function answer(child: ChildProcess, number: number, answering: Promise<unknown> | undefined): Promise<void> {
  const answered: ParentAnswer = await (answering ?? Promise.reject(new Error("the parent answers no questions"))).then(
    (given) => ({ number, answer: given }),
    (error: unknown) => ({ number, refused: error instanceof Error ? error.message : String(error) }),
  );
  if (child.connected) child.send(answered, () => undefined);
}
