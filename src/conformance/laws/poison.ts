/** G13: a job that kills its process is contained; what was in flight beside it survives. */
import { jobDied } from "../../core/jobDied.ts";
import type { JobDiedPayload } from "../../core/notes.ts";
import { task } from "../../core/task.ts";
import { when } from "../../core/when.ts";
import { equal, holds, matches } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";
import type { World } from "../world.ts";

/** Deaths until a poison job is quarantined where no child process can be had: two as a suspect, two alone. */
const deathsMax = 4;
const alerted = task<JobDiedPayload>("alerted", () => undefined);
const alerts = when(jobDied, alerted);

/** A supervisor: starts another worker whenever the last one died, until nothing is left to run. */
async function supervised(world: World, definitions: Record<string, unknown>, turnsMax = 12): Promise<number> {
  let deaths = 0;
  for (let turn = 0; turn < turnsMax; turn++) {
    const worker = await world.worker(definitions);
    for (let second = 0; second < 40 && !worker.gate.isCrashed; second++) await world.advance("1s");
    if (!worker.gate.isCrashed) return deaths;
    deaths++;
  }
  return deaths;
}

const crashes: readonly Law[] = [
  law("G13", "a crash costs no attempt, and the job runs again at once", async (world) => {
    const work = task<{}>("work", { retry: { attempts: 1 }, run: (_, job) => (world.runs.length === 1 ? world.die(job) : undefined) });
    const first = await world.worker({ work });
    const { id } = await first.broker.enqueue(work.with({}));
    await world.until("it ran", () => world.runs.length === 1);
    await world.worker({ work });
    await world.drained();
    equal(
      world.runs.map((run) => run.attempt),
      [1, 1],
      "the attempt of each run",
    );
    const job = await world.job(id);
    equal([job.state, job.starts, job.history.map(({ is }) => is)], ["completed", 2, ["crashed"]], "state, starts, history");
  }),
  law("G13", "everything in flight at a crash is once suspect, and nothing else is", async (world) => {
    const long = task<{ n: number }>("long", () => world.sleep("10m"));
    const victim = await world.worker({ long }, { queues: { default: 3 } });
    const stored = await victim.broker.enqueue([1, 2, 3, 4, 5].map((n) => long.with({ n })));
    await world.until("three run", () => world.runs.length === 3);
    await world.advance("1s");
    world.crash(victim);
    await world.worker({ long }, { queues: { default: 10 } });
    await world.until("all run", () => world.runs.length === 8, "20s");
    const suspects = await Promise.all(stored.map(async ({ id }) => (await world.job(id)).suspects));
    for (const [index, { id }] of stored.entries()) {
      const wasInFlight = world.runs.slice(0, 3).some((run) => run.id === id);
      holds(
        wasInFlight ? suspects[index] === 1 : (suspects[index] ?? 9) <= 1,
        `job ${index + 1} is ${wasInFlight ? "once suspect" : "suspect only if it was handed out"}`,
        suspects[index],
      );
    }
  }),
  ...lawsOf(
    "G13",
    [
      { end: "a failed attempt", run: (): unknown => Promise.reject(new Error("not yet")) },
      { end: "a completion", run: (): unknown => undefined },
    ],
    (row) => `${row.end} clears the suspicion`,
    async (world, row) => {
      const work = task<{}>("work", { retry: { backoff: "fixed", first: "1h" }, run: (_, job) => (world.runs.length === 1 ? world.die(job) : row.run()) });
      const first = await world.worker({ work });
      const { id } = await first.broker.enqueue(work.with({}));
      await world.until("it ran", () => world.runs.length === 1);
      await world.worker({ work });
      await world.until("it ran again", () => world.runs.length === 2 && world.runs[1]?.end !== undefined, "20s");
      await world.advance("1s");
      equal((await world.job(id)).suspects, 0, "suspects");
    },
  ),
  law("G13", "a graceful stop charges nothing: no attempt, no start, no suspicion", async (world) => {
    const work = task<{}>("work", (_, job) => world.sleep("10m", job.signal));
    const worker = await world.worker({ work }, { grace: "2s" });
    const { id } = await worker.broker.enqueue(work.with({}));
    await world.until("it runs", () => world.runs.length === 1);
    await world.stop(worker);
    const job = await world.job(id);
    equal([job.state, job.attempts, job.starts, job.suspects], ["ready", 0, 0, 0], "state, attempts, starts, suspects");
    equal(world.runs[0]?.abortedBy, "worker-stopping", "what its signal was aborted with");
  }),
  law("G13", "ten graceful stops do not make a job suspect", async (world) => {
    const work = task<{}>("work", { retry: { attempts: 2 }, run: (_, job) => (world.runs.length <= 10 ? world.sleep("10m", job.signal) : undefined) });
    const { id } = await world.process({ work }).broker.enqueue(work.with({}));
    for (let turn = 0; turn < 10; turn++) {
      const worker = await world.worker({ work }, { grace: "1s" });
      await world.until("it runs", () => world.runs.length === turn + 1);
      await world.stop(worker);
    }
    await world.worker({ work });
    await world.drained();
    equal([await world.stateOf(id), world.runs.at(-1)?.attempt], ["completed", 1], "state, and the attempt of the last run");
  }),
];

const poison: readonly Law[] = [
  law("G13", `a job that kills its process is quarantined after ${deathsMax} deaths at most, and says why`, async (world) => {
    const bomb = task<{}>("bomb", (_, job) => world.die(job));
    const { id } = await world.process({ bomb }).broker.enqueue(bomb.with({}));
    const deaths = await supervised(world, { bomb });
    const job = await world.job(id);
    equal(
      [deaths <= deathsMax, job.state, job.isPoison, job.attempts],
      [true, "dead", true, 0],
      `at most ${deathsMax} deaths (${deaths}), state, poison, attempts`,
    );
    matches(await world.observer.why(id), /killed its process/, "why");
  }),
  law("G13", "no innocent is quarantined: all that ran beside a poison job complete", async (world) => {
    const bomb = task<{}>("bomb", (_, job) => world.sleep("500ms").then(() => world.die(job)));
    const work = task<{ n: number }>("work", () => world.sleep("2s"));
    await world.process({ bomb, work }).broker.enqueue([bomb.with({}), ...Array.from({ length: 25 }, (_, n) => work.with({ n }))]);
    const deaths = await supervised(world, { bomb, work });
    const counts = await world.observer.count();
    equal([counts.dead, counts.completed, deaths <= deathsMax], [1, 25, true], "dead, completed, few deaths");
  }),
  law("G13", "a job that is twice suspect runs alone: nothing else runs in its worker meanwhile", async (world) => {
    const bomb = task<{}>("bomb", (_, job) => world.sleep("1s").then(() => (world.runsOf("bomb").length <= 2 ? world.die(job) : world.sleep("3s"))));
    const work = task<{ n: number }>("work", () => world.sleep("2s"));
    await world.process({ bomb, work }).broker.enqueue([bomb.with({}), ...Array.from({ length: 30 }, (_, n) => work.with({ n }))]);
    await supervised(world, { bomb, work });
    const alone = world.runsOf("bomb")[2];
    holds(alone?.end === "returned", "the third run of the twice suspect job returned", alone);
    const beside = world.runs.filter(
      (run) => run !== alone && run.process === alone.process && run.startedAt < (alone.endedAt ?? 0) && (run.endedAt ?? Infinity) > alone.startedAt,
    );
    equal(
      beside.map((run) => run.task),
      [],
      "what ran beside it",
    );
    equal((await world.observer.count()).completed, 31, "completed jobs");
  }),
  law("G13", "two poison jobs are both contained", async (world) => {
    const bomb = task<{ n: number }>("bomb", (_, job) => world.die(job));
    const work = task<{ n: number }>("work", () => undefined);
    await world.process({ bomb, work }).broker.enqueue([bomb.with({ n: 1 }), bomb.with({ n: 2 }), ...Array.from({ length: 10 }, (_, n) => work.with({ n }))]);
    const deaths = await supervised(world, { bomb, work });
    const counts = await world.observer.count();
    equal([counts.dead, counts.completed, deaths <= 2 * deathsMax], [2, 10, true], "dead, completed, few deaths");
  }),
  law("G13", "a poison job parks its key, and other keys flow", async (world) => {
    const ledger = task<{ key: string; n: number }>("ledger", {
      orderedBy: "key",
      run: ({ key, n }, job) => (key === "bad" && n === 1 ? world.die(job) : undefined),
    });
    await world.process({ ledger }).broker.enqueue(["bad", "good"].flatMap((key) => [1, 2].map((n) => ledger.with({ key, n }))));
    await supervised(world, { ledger });
    const counts = await world.observer.count();
    equal([counts.parked, counts.completed], [2, 2], "parked, completed");
  }),
  law("G13", "a quarantine is announced once, as poison", async (world) => {
    const bomb = task<{}>("bomb", (_, job) => world.die(job));
    const { id } = await world.process({ bomb, alerts }).broker.enqueue(bomb.with({}));
    await supervised(world, { bomb, alerts });
    equal(
      world.runsOf("alerted").map((run) => [(run.input as JobDiedPayload).jobId, (run.input as JobDiedPayload).isPoison]),
      [[id, true]],
      "alerts",
    );
  }),
  law("G13", "a quarantined job that is redriven begins anew", async (world) => {
    let isMended = false;
    const bomb = task<{}>("bomb", (_, job) => (isMended ? undefined : world.die(job)));
    const { id } = await world.process({ bomb }).broker.enqueue(bomb.with({}));
    await supervised(world, { bomb });
    isMended = true;
    equal(await world.observer.retry(id), "retried", "the answer");
    await world.drained();
    const job = await world.job(id);
    equal([job.state, job.isPoison, job.suspects], ["completed", false, 0], "state, poison, suspects");
  }),
];

export const poisonLaws: readonly Law[] = [...crashes, ...poison];
