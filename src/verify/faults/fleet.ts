/** All processes of the run: places that are taken again when the one who had them has ended. */
import type { Place } from "../stores/place.ts";
import type { Assignment } from "../workload/assignment.ts";
import { late } from "../sleep.ts";
import { Member, type Job } from "./member.ts";

export interface FleetOptions extends Pick<Assignment, "folder" | "seed" | "hands" | "lease" | "rate"> {
  readonly workers: number;
  readonly producers: number;
  readonly hasProxies: boolean;
  /** What a process runs, where it is not what users' runs do. */
  readonly program?: ((job: Job) => URL) | undefined;
}

const termWithinMs = 15_000;

export class Fleet {
  readonly #place: Place;
  readonly #options: FleetOptions;
  /** By their places, workers first. */
  readonly #members: Member[] = [];
  readonly #all: Set<Member> = new Set();
  readonly #begun: Record<Job, number> = { worker: 0, producer: 0 };
  #isClosed = false;

  constructor(place: Place, options: FleetOptions) {
    this.#place = place;
    this.#options = options;
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  /** Resolves when all of a kind work. Workers first. */
  async start(job: Job): Promise<void> {
    const { workers, producers } = this.#options;
    const from = job === "worker" ? 0 : workers;
    const count = job === "worker" ? workers : producers;
    await Promise.all(Array.from({ length: count }, (_, at) => this.#startAt(from + at)));
    await Promise.all(this.#members.slice(from, from + count).map((member) => member.ready()));
  }

  /** Another one in the place of one that has ended. */
  async replace(place: number): Promise<void> {
    await this.#members[place]?.end("SIGKILL");
    if (this.#isClosed) return;
    await this.#startAt(place);
    await this.#members[place]?.ready();
  }

  /** Producers end after their last answer. */
  async stopProducers(withinMs: number): Promise<void> {
    const producers = this.#members.filter(({ job }) => job === "producer");
    for (const producer of producers) producer.stop();
    const isLate = late(withinMs);
    await Promise.all(producers.map((producer) => Promise.race([producer.ended, isLate])));
  }

  async stopWorkers(): Promise<void> {
    const isLate = late(termWithinMs).then(() => this.close());
    await Promise.race([Promise.all(this.#members.map((member) => member.end("SIGTERM"))), isLate]);
  }

  /** At once. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#all].map((member) => member.end("SIGKILL")));
  }

  async #startAt(place: number): Promise<void> {
    const { workers, hasProxies, program, ...rest } = this.#options;
    const job = place < workers ? "worker" : "producer";
    const name = `${job === "worker" ? "w" : "p"}${++this.#begun[job]}`;
    const member = await Member.start(job, { ...rest, name }, this.#place, { hasProxies, program });
    this.#members[place] = member;
    this.#all.add(member);
  }
}
