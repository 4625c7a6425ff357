/** errand as a user has it, on any store: default settings. */
import { broker, task, type Broker, type Task } from "../../src/index.ts";
import type { Counts, How, Producer, Run, Worker } from "../working.ts";

export interface Entry {
  readonly id: number;
  readonly key: string;
}

/** Without a key, or ordered by one of so many. */
export class ErrandOn {
  readonly #keys: number | undefined;

  constructor(keys: number | undefined) {
    this.#keys = keys;
  }

  named(name: string): string {
    return this.#keys === undefined ? name : `${name}, ${this.#keys.toLocaleString("en-US")} keys`;
  }

  get order(): string {
    return this.#keys === undefined ? "" : `, orderedBy one of ${this.#keys.toLocaleString("en-US")} keys`;
  }

  entry(id: number): Entry {
    return { id, key: this.#keys === undefined ? "" : `key ${id % this.#keys}` };
  }

  /** `client`: of `work.within`. */
  async produce(url: string): Promise<Required<Omit<Producer, "close">> & Pick<Producer, "close"> & { readonly work: Broker; readonly noop: Task<Entry> }> {
    const { work, noop } = await this.#opened(url, () => undefined);
    return {
      work,
      noop,
      enqueue: (ids) => work.enqueue(ids.map((id) => noop.with(this.entry(id)))),
      enqueueOne: (id) => work.enqueue(noop.with(this.entry(id))),
      enqueueDue: (ids, at) => work.enqueue(ids.map((id) => noop.with(this.entry(id), { at: new Date(at) }))),
      counts: () => countsOf(work),
      close: () => work.close(),
    };
  }

  async work(url: string, { hands }: How, run: Run): Promise<Worker> {
    const { work, noop } = await this.#opened(url, run);
    return {
      start: async () => void (await work.start({ queues: { default: hands }, signals: false })),
      enqueueOne: (id) => work.enqueue(noop.with(this.entry(id))),
      stop: () => work.close(),
    };
  }

  async #opened(url: string, run: Run): Promise<{ readonly work: Broker; readonly noop: Task<Entry> }> {
    const noop = task<Entry>("noop", this.#keys === undefined ? { run: ({ id }) => run(id) } : { orderedBy: "key", run: ({ id }) => run(id) });
    const work = broker(url, { noop });
    await work.open();
    return { work, noop };
  }
}

/** Whatever did not complete has not ended well, and is never counted as done. */
async function countsOf(work: Broker): Promise<Counts> {
  const { completed, ...others } = await work.count();
  return { done: completed, unended: Object.values(others).reduce((sum, jobs) => sum + jobs, 0) };
}
