/** errand with jobs that are ordered by a key: the same jobs, the same worker, and so many keys that take turns in the order of enqueue. */
import { broker, task, type Broker, type Task } from "../../src/index.ts";
import type { Figures, System } from "./system.ts";

interface Entry {
  readonly id: number;
  readonly key: string;
}
const hands = 100;
const batch = 1_000;

const nothing = (): void => undefined;
const wait = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));
const tasks = {
  plain: task<Entry>("plain", { run: nothing }),
  ordered: task<Entry>("ordered", { orderedBy: "key", run: nothing }),
  plainWait: task<Entry>("plain-wait", { run: wait }),
  orderedWait: task<Entry>("ordered-wait", { orderedBy: "key", run: wait }),
};

/** Without a key, or with so many. */
export function orderedBy(keys: number | undefined): System {
  return {
    name: keys === undefined ? "errand" : `errand, ${keys.toLocaleString("en-US")} keys`,
    settings: `default settings, 1 worker of ${hands} hands, ${keys === undefined ? "no key" : `orderedBy one of ${keys.toLocaleString("en-US")} keys`}`,
    answers: {
      ordered: (file, jobs) => drain(file, keys === undefined ? tasks.plain : tasks.ordered, keys ?? 32, jobs),
      "ordered-1ms": (file, jobs) => drain(file, keys === undefined ? tasks.plainWait : tasks.orderedWait, keys ?? 32, jobs),
    },
  };
}

/** From `start()` until the last outcome is stored. */
async function drain(file: string, what: Task<Entry>, keys: number, jobs: number): Promise<Figures> {
  const work = broker(`sqlite:${file}`, tasks);
  await fill(work, what, keys, jobs);
  const [begin, before] = [performance.now(), process.cpuUsage()];
  const worker = await work.start({ queues: { default: hands }, signals: false });
  while ((await work.count()).completed < jobs) await new Promise((resolve) => setTimeout(resolve, 5));
  const perSecond = jobs / ((performance.now() - begin) / 1_000);
  const { user, system } = process.cpuUsage(before);
  await worker.stop();
  await work.close();
  return { perSecond, cpuMicrosecondsPerJob: (user + system) / jobs };
}

async function fill(work: Broker, what: Task<Entry>, keys: number, jobs: number): Promise<void> {
  const entry = (id: number): Entry => ({ id, key: `key ${id % keys}` });
  for (let at = 0; at < jobs; at += batch) await work.enqueue(Array.from({ length: Math.min(batch, jobs - at) }, (_, index) => what.with(entry(at + index))));
}
