/** G9: a breaker holds back the starts of what fails, over all processes, tries it with one job at a time, and lets it come back slowly. */
import { giveUp, skip, snooze } from "../../core/endings.ts";
import { task, type Job, type Task, type TaskDefinition } from "../../core/task.ts";
import { mostAtOnce } from "../atOnce.ts";
import { between, equal, grows, holds } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";
import type { World } from "../world.ts";

interface Numbered {
  readonly n: number;
}
const numbered = (count: number, from = 0): Numbered[] => Array.from({ length: count }, (_, n) => ({ n: from + n }));

/** A service that can be down. */
class Service {
  readonly #world: World;
  isDown = true;

  constructor(world: World) {
    this.#world = world;
  }

  async call(): Promise<void> {
    await this.#world.sleep("50ms");
    if (this.isDown) throw new Error("503");
  }
}

function calling(service: Service, options: Partial<TaskDefinition<Numbered, Numbered>> = {}, name = "call"): Task<Numbered> {
  return task<Numbered>(name, { retry: { attempts: 100, upTo: "5s" }, run: () => service.call(), ...options });
}

const harmless: readonly { readonly name: string; readonly run: (input: Numbered, job: Job) => unknown }[] = [
  { name: "skips", run: () => skip("not needed") },
  { name: "gives up", run: () => giveUp("declined") },
  { name: "snoozes", run: () => snooze("1h") },
];

export const breakerLaws: readonly Law[] = [
  law("G9", "while what a task depends on is down, one job at a time tries it, over all workers", async (world) => {
    const service = new Service(world);
    const call = calling(service);
    const workers = [await world.worker({ call }), await world.worker({ call }), await world.worker({ call })];
    await workers[0]?.broker.enqueue(numbered(200).map((input) => call.with(input)));
    await world.advance("6s");
    const from = world.now;
    await world.advance("1m");
    const probes = world.runs.filter((run) => run.startedAt >= from);
    equal(mostAtOnce(probes), 1, "runs at once");
    between(probes.length, 15, 70, "tries in a minute");
  }),
  law("G9", "when it is back all is done, at a rate that grows; and each job is done once", async (world) => {
    const service = new Service(world);
    const call = calling(service);
    const workers = [await world.worker({ call }), await world.worker({ call })];
    service.isDown = false;
    await workers[0]?.broker.enqueue(numbered(600).map((input) => call.with(input)));
    await world.drained();
    service.isDown = true;
    await workers[0]?.broker.enqueue(numbered(600, 600).map((input) => call.with(input)));
    await world.advance("30s");
    service.isDown = false;
    const from = world.now;
    await world.drained("5m");
    const ended = world.runs.filter((run) => run.end === "returned");
    equal([ended.length, new Set(ended.map((run) => run.id)).size], [1_200, 1_200], "good runs, and jobs");
    const perFive = [0, 1, 2, 3].map(
      (five) => world.runs.filter((run) => run.startedAt >= from + five * 5_000 && run.startedAt < from + (five + 1) * 5_000).length,
    );
    grows(perFive, "starts in each five seconds since");
  }),
  law("G9", "while it comes back at most a fifth of the starts are second tries, though they stand before others", async (world) => {
    const service = new Service(world);
    const call = calling(service, { breaker: { failing: 100, of: 100 }, retry: { attempts: 100, first: "200ms", backoff: "fixed" } });
    const { broker } = await world.worker({ call });
    service.isDown = false;
    await broker.enqueue(numbered(600).map((input) => call.with(input)));
    await world.drained();
    service.isDown = true;
    await broker.enqueue(numbered(150, 600).map((input) => call.with(input)));
    await world.advance("10s");
    const tried = new Set(world.runs.filter((run) => run.end === "threw").map((run) => run.id));
    holds(tried.size >= 100, "many were tried", tried.size);
    await broker.enqueue(numbered(600, 750).map((input) => call.with(input)));
    service.isDown = false;
    await world.until("it is back", () => world.runs.at(-1)?.end === "returned", "10s");
    const from = world.now;
    await world.advance("8s");
    const starts = world.runs.filter((run) => run.startedAt >= from);
    const again = starts.filter((run) => tried.has(run.id));
    holds(starts.length >= 50 && again.length <= 0.2 * starts.length + 1, "a fifth of the starts", [again.length, starts.length]);
    await world.drained("5m");
    equal(new Set(world.runs.filter((run) => run.end === "returned").map((run) => run.id)).size, 1_350, "jobs that are done");
  }),
  law("G9", "a job that is killed while it tries gives its place to another, with its lease", async (world) => {
    const service = new Service(world);
    const call = calling(service, { run: (_, job) => (job.attempt > 1 || isProbing ? world.sleep("1h") : service.call()) });
    let isProbing = false;
    const victim = await world.worker({ call });
    const other = world.process({ call });
    await victim.broker.enqueue(numbered(100).map((input) => call.with(input)));
    await world.until("they fail", () => world.runs.length >= 20);
    isProbing = true;
    await world.until("one tries", () => mostAtOnce(world.runs.slice(-1)) === 1 && world.runs.at(-1)?.endedAt === undefined, "30s");
    await world.advance("3s");
    world.crash(victim);
    const from = world.now;
    await world.finished(other.start(), "the start of another worker");
    await world.until("another one tries", () => world.runs.some((run) => run.startedAt > from), "30s");
    equal(mostAtOnce(world.runs.filter((run) => run.startedAt > from)), 1, "runs at once");
  }),
  law("G9", "one bad job, however often it fails, holds back nothing", async (world) => {
    const work = task<Numbered>("work", {
      retry: { attempts: 200, backoff: "fixed", first: "10ms" },
      run: ({ n }) => (n === 0 ? Promise.reject(new Error("poison")) : undefined),
    });
    const { broker } = await world.worker({ work }, { queues: { default: 2 } });
    await broker.enqueue(work.with({ n: 0 }));
    await world.advance("5s");
    holds(world.runs.length >= 100, "it failed a hundred times", world.runs.length);
    const from = world.now;
    await broker.enqueue(numbered(100, 1).map((input) => work.with(input)));
    await world.until("all others ran", () => new Set(world.runs.map((run) => run.id)).size === 101, "5s");
    holds(world.now - from <= 2_000, "they ran at once", world.now - from);
  }),
  ...lawsOf(
    "G9",
    harmless,
    (row) => `a task that ${row.name} a hundred times is healthy`,
    async (world, row) => {
      let isOver = false;
      const work = task<Numbered>("work", (input, job) => (isOver ? undefined : row.run(input, job)));
      const { broker } = await world.worker({ work });
      await broker.enqueue(numbered(100).map((input) => work.with(input)));
      await world.until("all of them ran", () => world.runs.length === 100, "10s");
      isOver = true;
      await broker.enqueue(numbered(100, 100).map((input) => work.with(input)));
      await world.until("the others ran at once", () => world.runs.length === 200, "2s");
    },
  ),
  law("G9", "tasks that depend on one thing are held back together, others are not", async (world) => {
    const service = new Service(world);
    const a = calling(service, { dependsOn: "mail-api" }, "a");
    const b = calling(service, { dependsOn: "mail-api" }, "b");
    const other = calling(service, { run: () => undefined }, "other");
    const { broker } = await world.worker({ a, b, other });
    await world.worker({ b, other });
    await broker.enqueue(numbered(50).map((input) => a.with(input)));
    await world.advance("5s");
    await broker.enqueue(numbered(50).flatMap((input) => [b.with(input), other.with(input)]));
    const from = world.now;
    await world.advance("5s");
    equal(world.runsOf("other").length, 50, "runs of the other");
    equal(mostAtOnce(world.runs.filter((run) => run.startedAt >= from && run.task !== "other")), 1, "at once of those that depend on it");
  }),
  law("G9", "a task without a breaker goes on trying all it has", async (world) => {
    const service = new Service(world);
    const call = calling(service, { breaker: false });
    const { broker } = await world.worker({ call });
    await broker.enqueue(numbered(100).map((input) => call.with(input)));
    await world.advance("5s");
    equal(new Set(world.runs.map((run) => run.id)).size, 100, "jobs that were tried");
  }),
  law("G9", "why names a breaker that is not healthy", async (world) => {
    const service = new Service(world);
    const call = calling(service);
    const { broker } = await world.worker({ call });
    const jobs = await broker.enqueue(numbered(100).map((input) => call.with(input)));
    await world.advance("5s");
    const waiting = await Promise.all(jobs.map(async ({ id }) => broker.why(id)));
    holds(
      waiting.some((why) => why.includes("failing") && why.includes("503")),
      "a sentence that tells of the failures",
      waiting.at(-1),
    );
  }),
];
