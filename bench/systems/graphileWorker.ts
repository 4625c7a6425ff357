/** graphile-worker: tuned as its page on performance says, or as it comes; jobs of a named queue run one at a time. */
import { Logger, makeWorkerUtils, run as runWorker } from "graphile-worker";
import type { PostgresSystem } from "../postgres/system.ts";
import type { How } from "../working.ts";

const logger = new Logger(() => () => undefined);
const task = "noop";
/** Its own default is one job at a time. */
const handsOfDefaults = 10;

export interface Variant {
  readonly isTuned: boolean;
  /** Named queues that the jobs are dealt to. */
  readonly queues?: number;
}

export function graphileWorker({ isTuned, queues }: Variant): PostgresSystem {
  const spec = (id: number): { identifier: string; payload: object; queueName?: string } => ({
    identifier: task,
    payload: { id },
    ...(queues !== undefined && { queueName: `queue ${id % queues}` }),
  });
  return {
    name: nameOf({ isTuned, ...(queues !== undefined && { queues }) }),
    settings: settingsOf({ isTuned, ...(queues !== undefined && { queues }) }),
    schema: "graphile_worker",
    async produce(url) {
      const utils = await makeWorkerUtils({ connectionString: url, logger });
      await utils.migrate();
      return {
        enqueue: (ids) => utils.addJobs(ids.map(spec)),
        enqueueOne: (id) => utils.addJob(task, { id }),
        enqueueDue: (ids, at) => utils.addJobs(ids.map((id) => ({ ...spec(id), runAt: new Date(at) }))),
        enqueueWithin: (client, id) => client.query("SELECT graphile_worker.add_job($1, $2::json)", [task, JSON.stringify({ id })]),
        counts: async () => {
          const { rows } = await utils.withPgClient((client) => client.query<{ jobs: string }>("SELECT count(*) AS jobs FROM graphile_worker.jobs"));
          return { unended: Number(rows[0]?.jobs) };
        },
        close: async () => utils.release(),
      };
    },
    async work(url, how, run) {
      let runner: { stop(): Promise<void>; addJob(name: string, payload: object): Promise<unknown> } | undefined;
      return {
        async start() {
          runner = await runWorker({
            preset: { worker: { connectionString: url, logger, ...optionsOf(how, isTuned, queues !== undefined) } },
            taskList: { [task]: (payload) => run((payload as { readonly id: number }).id) },
            noHandleSignals: true,
          });
        },
        enqueueOne: async (id) => runner?.addJob(task, { id }),
        stop: async () => runner?.stop(),
      };
    },
  };
}

function optionsOf({ hands, for: aim }: How, isTuned: boolean, isQueued: boolean): object {
  if (!isTuned) return { concurrentJobs: handsOfDefaults };
  // A local queue holds back jobs that come one by one.
  if (aim === "latency") return { concurrentJobs: hands };
  const batching = { concurrentJobs: hands, completeJobBatchDelay: 0, failJobBatchDelay: 0 };
  // It fetches one job of each named queue at most, and asks again after a poll's time: its usual 2 s would be all that is measured.
  return isQueued ? { ...batching, localQueue: { size: 1_000 }, pollInterval: 1 } : { ...batching, localQueue: { size: 5_000 } };
}

function nameOf({ isTuned, queues }: Variant): string {
  if (queues !== undefined) return `graphile-worker, ${queues.toLocaleString("en-US")} queues`;
  return isTuned ? "graphile-worker" : "graphile-worker, defaults";
}

function settingsOf({ isTuned, queues }: Variant): string {
  if (queues !== undefined) {
    return `0.18.0, queueName one of ${queues.toLocaleString("en-US")}, concurrentJobs 100, localQueue of 1,000, completeJobBatchDelay 0, pollInterval 1 ms; one job of a queue at a time, those of one call in no certain order`;
  }
  if (!isTuned) return "0.18.0, concurrentJobs 10, otherwise default settings: no localQueue, completions one by one";
  return "0.18.0, concurrentJobs 100, localQueue of 5,000, completeJobBatchDelay 0, pool of 10; for latency concurrentJobs 10 and no localQueue; done jobs are deleted, and a drain counts its start";
}
