/** What a child process does with its one job: loads the definitions, runs it, answers its outcome. It never reaches the store. */
import { Definitions, type DefinitionModule } from "../definitions.ts";
import type { ClaimedJob, Query } from "../engine.ts";
import { ParentSaves } from "../long/parentSaves.ts";
import { Planner } from "../plan.ts";
import type { Runtime } from "../runtime.ts";
import type { Find } from "./before.ts";
import { Run, type Draft } from "./run.ts";
import { Runner } from "./runner.ts";

/** Without a job: only load the definitions, to see whether they load. */
export interface ChildArgument {
  readonly definitions: string;
  readonly job?: ClaimedJob;
  readonly fence?: number;
}
export type ChildMessage =
  | { readonly is: "loaded" }
  | { readonly is: "ended"; readonly draft: Draft }
  /** It can only be run in a process that reaches the store. */
  | { readonly is: "needs worker" };
/** What a child asks beside what it saves. */
export interface FindQuestion {
  readonly is: "find";
  readonly query: Query;
}

type Ask = (question: unknown) => Promise<unknown>;

interface Given {
  readonly job: ClaimedJob;
  readonly fence: number;
  /** Asks the parent process. */
  readonly ask: Ask;
}

/** Called by the child's entry, with a Runtime of its own. */
export default function runArgument(argument: string, runtime: Runtime, ask: Ask): Promise<ChildMessage> {
  const { definitions, job, fence } = JSON.parse(argument) as ChildArgument;
  return runAlone(runtime, definitions, job === undefined ? undefined : { job, fence: fence ?? 0, ask });
}

/** Rejects if the definitions cannot be loaded: the job is not to blame for that. */
async function runAlone(runtime: Runtime, definitionsModule: string, given: Given | undefined): Promise<ChildMessage> {
  const loaded = (await import(definitionsModule)) as DefinitionModule;
  const definitions = new Definitions([loaded]);
  return given === undefined ? { is: "loaded" } : endOf(runtime, given, definitions);
}

function endOf(runtime: Runtime, { job, fence, ask }: Given, definitions: Definitions): Promise<ChildMessage> {
  const { promise, resolve } = Promise.withResolvers<ChildMessage>();
  const find = ((query) => ask({ is: "find", query } satisfies FindQuestion)) as Find;
  const runner = new Runner(
    { runtime, definitions, planner: new Planner(definitions, runtime), log: runtime.log, saves: new ParentSaves(ask), find },
    (run, draft) => resolve(run.needsWorker ? { is: "needs worker" } : { is: "ended", draft: draft ?? { is: "released" } }),
  );
  runtime.onUnhandledRejection?.((reason) => runner.rejected(reason));
  runner.start(new Run(job, { claim: "alone", fence }, definitions.tasks.get(job.task), undefined), runtime.monotonic());
  return promise;
}
