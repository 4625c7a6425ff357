/** One claim that goes to several homes: what is still wanted after each, and what came. */
import { claimMax } from "../../core/defaults.ts";
import type { Claim, Claimed, ClaimedJob, ClaimQueue, TaskTerms } from "../../core/engine.ts";

export class Asking {
  readonly #came: { readonly jobs: readonly ClaimedJob[]; readonly fence: number }[] = [];
  #count = 0;
  readonly #wanted: Claim;
  readonly #queues: ClaimQueue[];
  /** Handed out so far, by task, where the terms bound that; of these, those that were tried before. */
  readonly #handed: Map<string, number> = new Map();
  readonly #retries: Map<string, number> = new Map();

  constructor(wanted: Claim) {
    this.#wanted = wanted;
    this.#queues = [...wanted.queues];
  }

  /** For the next home. */
  next(lastFence: number): Omit<Claim, "settling"> {
    const { settling: _, ...wanted } = this.#wanted;
    return { ...wanted, lastFence, queues: this.#queues, ...(wanted.terms && this.#handed.size > 0 && { terms: this.#termsLeft(wanted.terms) }) };
  }

  /** The next claim may be given what this one's terms leave, without a word from the store. */
  get isBounded(): boolean {
    return Object.values(this.#wanted.terms ?? {}).some(({ most, retriesMost }) => most !== undefined || retriesMost !== undefined);
  }

  /** How many jobs could come. */
  get most(): number {
    if (this.#wanted.alone === "only") return this.#count > 0 ? 0 : 1;
    const wanted = this.#queues.reduce((sum, { slots, ahead }) => sum + slots + ahead, 0);
    return Math.min(wanted, claimMax - this.#count);
  }

  /** The largest that a home gave jobs under; undefined: there are none. */
  get fence(): number | undefined {
    return this.#came.length === 0 ? undefined : Math.max(...this.#came.map(({ fence }) => fence));
  }

  /** Each with its own fence where they are several. */
  get jobs(): readonly ClaimedJob[] {
    const [first, ...others] = this.#came;
    if (others.length === 0) return first?.jobs ?? [];
    return this.#came.flatMap(({ jobs, fence }) => jobs.map((job) => ({ ...job, fence })));
  }

  came({ jobs, fence }: Claimed): void {
    if (jobs.length === 0) return;
    let before: ClaimedJob | undefined;
    for (const job of jobs) {
      this.#place(job, before);
      this.#note(job);
      before = job;
    }
    this.#count += jobs.length;
    this.#came.push({ jobs, fence });
  }

  /** As the script does: slots first. Whoever follows in a row is held ahead. */
  #place(job: ClaimedJob, before: ClaimedJob | undefined): void {
    const at = this.#queues.findIndex(({ queue }) => queue === job.queue);
    const open = this.#queues[at];
    if (open === undefined) return;
    const isFollower = job.lane !== undefined && before?.lane === job.lane && before.task === job.task;
    const takesSlot = !isFollower && open.slots > 0;
    this.#queues[at] = takesSlot ? { ...open, slots: open.slots - 1 } : { ...open, ahead: Math.max(0, open.ahead - 1) };
  }

  #note({ task, attempt }: ClaimedJob): void {
    const terms = this.#wanted.terms?.[task];
    if (terms?.most === undefined && terms?.retriesMost === undefined) return;
    this.#handed.set(task, (this.#handed.get(task) ?? 0) + 1);
    if (attempt > 1) this.#retries.set(task, (this.#retries.get(task) ?? 0) + 1);
  }

  #termsLeft(terms: Readonly<Record<string, TaskTerms>>): Readonly<Record<string, TaskTerms>> {
    return Object.fromEntries(
      Object.entries(terms).map(([task, { most, retriesMost, ...own }]) => [
        task,
        {
          ...own,
          ...(most !== undefined && { most: Math.max(0, most - (this.#handed.get(task) ?? 0)) }),
          ...(retriesMost !== undefined && { retriesMost: Math.max(0, retriesMost - (this.#retries.get(task) ?? 0)) }),
        },
      ]),
    );
  }
}
