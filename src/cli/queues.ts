/** `errand queues`: how many jobs are where; pause and resume. */
import { listQueues } from "./listQueues.ts";
import { pauseQueue, resumeQueue } from "./pauseQueue.ts";
import { runVerb, type VerbCommand } from "./verbs.ts";

const help = `errand queues [list]              jobs in each state, by queue and task; what is
                                  paused; which workers hold jobs
errand queues pause <queue>       no job of it starts, in any process, until it
                                  is resumed; running ones go on
errand queues pause --task <task> the same for a task, in all its queues
errand queues resume <queue>      or --task <task>

  --reason TEXT  pause: why; jobs that wait tell it
  --store URL    the store, as in sqlite:shop.db (or ERRAND_STORE)
  --json         for scripts

Exit codes: 0 done, 1 failed, 2 a mistake on the command line,
3 there is no job yet, or what should be resumed was not paused.`;

const command: VerbCommand = {
  name: "queues",
  help,
  options: { task: { type: "string" }, reason: { type: "string" } },
  verbs: {
    list: { takes: [], wordsMax: 0, run: listQueues },
    pause: { takes: ["task", "reason"], wordsMax: 1, run: (store, given, [queue]) => pauseQueue(store, given, queue) },
    resume: { takes: ["task"], wordsMax: 1, run: (store, given, [queue]) => resumeQueue(store, given, queue) },
  },
};

export function run(args: readonly string[]): Promise<number> {
  return runVerb(command, args);
}
