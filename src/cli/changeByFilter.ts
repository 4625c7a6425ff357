/** Changes all jobs that fit a filter, page by page with progress, or only counts them. */
import type { Change, ChangedJob, JobFilter, JobView } from "../index.ts";
import { isChange, phraseFor, type Answer } from "./answers.ts";
import type { Arguments } from "./arguments.ts";
import { Foretold } from "./foretold.ts";
import { changeFilterOf, countMatching, matchingJobs, remarkNone, type ChangingVerb } from "./jobFilter.ts";
import { paint, remark, say } from "./output.ts";
import { plainJson } from "./plain.ts";
import { Progress } from "./progress.ts";
import type { OpenStore } from "./store.ts";

interface Asked {
  readonly verb: ChangingVerb;
  readonly change: Change;
}

/** 0: at least one was changed, or would be; 3: none. */
export async function changeByFilter(store: OpenStore, given: Arguments, { verb, change }: Asked): Promise<number> {
  const filter = changeFilterOf(given, verb);
  const tally = new Tally();
  const foretold = given.has("dry-run") ? new Foretold() : undefined;
  await eachPage(store, filter, given.text("reason-has"), async (jobs) => {
    if (foretold !== undefined) foretold.add(jobs);
    else tally.add(jobs, (await store.work.change({ ids: jobs.map((job) => job.id) }, change)).jobs);
  });
  const isNone = (foretold ?? tally).total === 0;
  if (given.has("json")) say(plainJson({ change: change.do, isDryRun: foretold !== undefined, ...(foretold ?? tally).json }));
  else if (foretold !== undefined && !isNone)
    say(
      `${paint("yellow", `would ${verb} ${foretold.total.toLocaleString("en-US")} ${foretold.total === 1 ? "job" : "jobs"}; nothing was changed`)}\n${foretold.text}`,
    );
  else if (!isNone) say(tally.text);
  if (isNone) await remarkNone(store, filter);
  return isNone || (foretold === undefined && tally.changed === 0) ? 3 : 0;
}

async function eachPage(store: OpenStore, filter: JobFilter, reasonHas: string | undefined, take: (jobs: readonly JobView[]) => Promise<void>): Promise<void> {
  const progress = new Progress(await countMatching(store, filter, reasonHas));
  let done = 0;
  try {
    for await (const jobs of matchingJobs(store, filter, reasonHas)) {
      await take(jobs);
      done += jobs.length;
      progress.at(done);
    }
  } catch (error) {
    remark(`it went no further than ${done.toLocaleString("en-US")} jobs; what was done stays done, and the same command goes on`);
    throw error;
  } finally {
    progress.end();
  }
}

/** The answers, counted. */
class Tally {
  readonly #counts: Map<Answer, number> = new Map();

  add(before: readonly JobView[], answers: readonly ChangedJob[]): void {
    const parked = new Set(before.filter((job) => job.state === "parked").map((job) => job.id));
    for (const { id, is } of answers) {
      const answer = is === "waiting" && parked.has(id) ? "freed" : is;
      this.#counts.set(answer, (this.#counts.get(answer) ?? 0) + 1);
    }
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  get changed(): number {
    return [...this.#counts].reduce((sum, [is, count]) => sum + (isChange(is) ? count : 0), 0);
  }

  get json(): object {
    return { changed: this.changed, answers: Object.fromEntries(this.#counts) };
  }

  get text(): string {
    return [...this.#counts].map(([is, count]) => `${count.toLocaleString("en-US")} ${count === 1 ? "job" : "jobs"}: ${phraseFor(is)}`).join("\n");
  }
}
