/** What a change would do, counted by queue, task, state and reason, however many jobs there are. */
import type { JobView } from "../index.ts";
import { styleOfState } from "./stateStyle.ts";
import { table } from "./table.ts";

interface Group {
  readonly queue: string;
  readonly task: string;
  readonly state: JobView["state"];
  readonly reason: string | null;
  jobs: number;
}

/** Reasons that name an id each are as many as jobs: beyond so many groups they are counted together. */
const groupsMax = 100;
const reasonMax = 200;
const otherReasons = "(other reasons)";

export class Foretold {
  readonly #groups: Map<string, Group> = new Map();

  add(jobs: readonly JobView[]): void {
    for (const job of jobs) this.#groupOf(job).jobs += 1;
  }

  get total(): number {
    return this.#sorted().reduce((sum, { jobs }) => sum + jobs, 0);
  }

  get json(): object {
    return { changed: this.total, groups: this.#sorted() };
  }

  get text(): string {
    const lines = table(this.#sorted(), [
      { title: "jobs", of: ({ jobs }) => jobs },
      { title: "queue", of: ({ queue }) => queue },
      { title: "task", of: ({ task }) => task },
      { title: "state", of: ({ state }) => state, style: ({ state }) => styleOfState(state) },
      { title: "reason", of: ({ reason }) => reason ?? "", isFree: true },
    ]);
    const isAnyParked = this.#sorted().some(({ state }) => state === "parked");
    return isAnyParked ? `${lines}\na parked job takes all that is parked behind its key along, in their order` : lines;
  }

  #groupOf(job: JobView): Group {
    const reason = reasonOf(job);
    const known = this.#groups.get(keyOf(job, reason));
    if (known !== undefined) return known;
    if (this.#groups.size < groupsMax) return this.#make(job, reason);
    return this.#groups.get(keyOf(job, otherReasons)) ?? this.#make(job, otherReasons);
  }

  #make(job: JobView, reason: string | null): Group {
    const made: Group = { queue: job.queue, task: job.task, state: job.state, reason, jobs: 0 };
    this.#groups.set(keyOf(job, reason), made);
    return made;
  }

  #sorted(): readonly Group[] {
    return [...this.#groups.values()].toSorted((a, b) => b.jobs - a.jobs);
  }
}

/** Those parked behind a death are one group, whoever died. */
function reasonOf({ state, reason }: JobView): string | null {
  if (reason !== undefined) return reason.slice(0, reasonMax);
  return state === "parked" ? "behind a job of its key that died" : null;
}

function keyOf({ queue, task, state }: JobView, reason: string | null): string {
  return JSON.stringify([queue, task, state, reason]);
}
