/** A process that hands work in, at a steady rate, in every way that the checker knows of. */
import path from "node:path";
import { batch, type Broker, type Errand, type ErrandOptions, type Leader } from "../../index.ts";
import type { Asked, HistoryWriter, JobKind } from "../history.ts";
import type { Seeded } from "../seeded.ts";
import { sleep } from "../sleep.ts";
import type { Assignment } from "./assignment.ts";
import { Calls, type Noted } from "./calls.ts";
import * as definitions from "./definitions.ts";
import { Guarded } from "./guarded.ts";

/** How often each is done. */
const shares = { plain: 8, doomed: 0.3, ordered: 5, unique: 3, cancel: 1.5, limited: 1, long: 0.5, premise: 1, batch: 0.7, event: 2, twice: 0.7 } as const;
type Share = keyof typeof shares;

const keys = 12;
const uniqueKeys = 6;
/** Calls under way at once; a store that is away holds up the rest. */
const callsMost = 16;
const failingShare = 0.08;
const lockEveryMs = 150;
const heldMs = 20;
const writesOfTerm = 20;
const leadership = "verify-leader";

const nothing = (): Noted => ({});
const accepted = ({ id, isDuplicate }: { readonly id: string; readonly isDuplicate: boolean }): Noted => ({ id, isDuplicate });

export class Producer {
  readonly #work: Broker;
  readonly #assignment: Assignment;
  readonly #chance: Seeded;
  readonly #calls: Calls;
  readonly #history: HistoryWriter;
  readonly #under: Set<Promise<unknown>> = new Set();
  readonly #stop: AbortController = new AbortController();
  #named = 0;

  constructor(work: Broker, assignment: Assignment, { chance, history }: { readonly chance: Seeded; readonly history: HistoryWriter }) {
    this.#work = work;
    this.#assignment = assignment;
    this.#chance = chance;
    this.#history = history;
    this.#calls = new Calls(history, () => this.#stop.signal.aborted);
  }

  /** Goes on until it is stopped; resolves when its last call was answered. */
  async run(): Promise<void> {
    const others = [this.#holdLocks("first"), this.#holdLocks("second"), this.#lead()];
    while (!this.#stop.signal.aborted) {
      await sleep((1_000 / this.#assignment.rate) * this.#chance.between(0.5, 1.5));
      if (this.#under.size < callsMost) this.#begin(this.#next());
    }
    await Promise.all([...this.#under, ...others]);
  }

  stop(): void {
    this.#stop.abort();
  }

  #begin(doing: Promise<unknown>): void {
    this.#under.add(doing);
    doing.finally(() => this.#under.delete(doing)).catch(() => undefined);
  }

  #name(): string {
    return `${this.#assignment.name}-${++this.#named}`;
  }

  #ms(): number {
    return Math.round(this.#chance.isIn(0.06) ? this.#chance.between(200, 900) : this.#chance.between(1, 40));
  }

  #fails(): number {
    return this.#chance.isIn(failingShare) ? 1 : 0;
  }

  #next(): Promise<unknown> {
    const share: Share = this.#chance.pick(shares);
    const work = { n: this.#name(), ms: this.#ms() };
    switch (share) {
      case "plain":
        return this.#plain(work);
      case "doomed":
        return this.#enqueue("doomed", definitions.doomed.with(work, { id: work.n }), { n: work.n });
      case "ordered":
        return this.#ordered(work);
      case "unique":
        return this.#unique(work);
      case "cancel":
        return this.#cancelled(work);
      case "limited":
        return this.#enqueue("limited", definitions.limited.with(work, { id: work.n }), { n: work.n });
      case "long":
        return this.#enqueue("long", definitions.long.with({ ...work, ms: 400 + 10 * work.ms, steps: 8 }, { id: work.n }), { n: work.n });
      case "premise":
        return this.#premise(work);
      case "batch":
        return this.#batch(work.n);
      case "event":
        return this.#calls.make({ op: "publish", n: work.n }, () => this.#work.publish(definitions.happened.with(work, { id: work.n })), accepted);
      case "twice":
        return this.#twice(work);
    }
  }

  #enqueue(kind: JobKind, errand: Errand, of: { readonly n: string; readonly key?: string; readonly delayMs?: number }): Promise<unknown> {
    const asked: Asked = { op: "enqueue", kind, ...of };
    return this.#calls.make(asked, () => this.#work.enqueue(errand), accepted);
  }

  #plain(work: definitions.Work): Promise<unknown> {
    const delayMs = this.#chance.isIn(0.3) ? Math.round(this.#chance.between(50, 3_000)) : undefined;
    const priority = this.#chance.isIn(0.2) ? "high" : "normal";
    const options: ErrandOptions = { id: work.n, priority, ...(delayMs !== undefined && { in: `${delayMs}ms` as const }) };
    return this.#enqueue("plain", definitions.plain.with({ ...work, fails: this.#fails() }, options), {
      n: work.n,
      ...(delayMs !== undefined && { delayMs }),
    });
  }

  /** Keys are shared by all producers. */
  #ordered(work: definitions.Work): Promise<unknown> {
    const key = `k${this.#chance.below(keys)}`;
    return this.#enqueue("ordered", definitions.ordered.with({ ...work, key, fails: this.#fails() }, { id: work.n }), { n: work.n, key });
  }

  #unique(work: definitions.Work): Promise<unknown> {
    const key = `u${this.#chance.below(uniqueKeys)}`;
    return this.#enqueue("unique", definitions.unique.with({ ...work, key }, { id: work.n }), { n: work.n, key });
  }

  #premise(work: definitions.Work): Promise<unknown> {
    const isStale = this.#chance.isIn(0.5);
    const errand = definitions.premise.with({ ...work, isStale }, { id: work.n, expecting: definitions.believed });
    return this.#enqueue("premise", errand, { n: work.n, key: isStale ? "stale" : "current" });
  }

  /** The same call twice at once: one job. */
  #twice(work: definitions.Work): Promise<unknown> {
    const errand = definitions.plain.with({ ...work, fails: 0 }, { id: work.n });
    return Promise.all([this.#enqueue("plain", errand, { n: work.n }), this.#enqueue("plain", errand, { n: work.n })]);
  }

  async #cancelled(work: definitions.Work): Promise<void> {
    const delayMs = this.#chance.isIn(0.6) ? Math.round(this.#chance.between(100, 1_500)) : 0;
    const waitMs = this.#chance.between(0, 600);
    const errand = definitions.plain.with({ n: work.n, ms: 10 * work.ms, fails: 0 }, { id: work.n, in: `${delayMs}ms` });
    const stored = await this.#enqueue("plain", errand, { n: work.n, delayMs });
    if (stored === undefined) return;
    await sleep(waitMs);
    await this.#calls.make(
      { op: "cancel", n: work.n },
      () => this.#work.cancel(work.n),
      (cancelled) => ({ cancelled }),
    );
  }

  #batch(n: string): Promise<unknown> {
    const isFailing = this.#chance.isIn(0.3);
    const members = Array.from({ length: 1 + this.#chance.below(10) }, (_, at) => `${n}.${at}`);
    const errands = members.map((id) => definitions.member.with({ n: id, ms: this.#ms() }, { id }));
    const [doomedId, ...others] = [`${n}.doomed`, ...members];
    const all = isFailing ? [definitions.doomed.with({ n: doomedId, ms: 1 }, { id: doomedId }), ...errands] : errands;
    const then = (role: definitions.Role): Errand => definitions.callback.with({ n, ms: 1, role });
    const made = batch(all, { id: n, whenAllSucceed: then("succeeded"), whenAnyFails: then("failed"), whenAllEnd: then("ended") });
    const asked: Asked = { op: "batch", n, members: isFailing ? [doomedId, ...others] : members, isFailing };
    return this.#calls.make(asked, () => this.#work.enqueue(made), accepted);
  }

  async #holdLocks(which: string): Promise<void> {
    const name = "verify-lock";
    const guarded = this.#guarded(name);
    while (!this.#stop.signal.aborted) {
      await sleep(lockEveryMs * (which === "first" ? 1 : 1.5));
      const lock = await this.#calls.make(
        { op: "lock", name },
        () => this.#work.lock(name, { for: "10s", wait: "3s" }),
        ({ fence }) => ({ fence }),
      );
      if (lock === undefined) continue;
      await this.#write(guarded, lock.fence);
      await this.#calls.make({ op: "unlock", name, granted: lock.fence }, () => lock.release(), nothing);
    }
  }

  /** For a while at a time, so that others come to lead. */
  async #lead(): Promise<void> {
    const guarded = this.#guarded(leadership);
    while (!this.#stop.signal.aborted) {
      await this.#work.lead(leadership, (leader) => this.#term(guarded, leader), { signal: this.#stop.signal }).catch(() => sleep(lockEveryMs));
      await sleep(lockEveryMs);
    }
  }

  async #term(guarded: Guarded, { fence, signal }: Leader): Promise<void> {
    const seq = this.#history.call({ op: "lock", name: leadership });
    this.#history.write({ is: "ok", seq, fence });
    for (let writes = 0; writes < writesOfTerm && !signal.aborted; writes++) {
      await this.#write(guarded, fence);
      await sleep(lockEveryMs, signal);
    }
  }

  /** One more, if nobody with a larger fence came between. */
  async #write(guarded: Guarded, fence: number): Promise<void> {
    const value = guarded.raise(fence);
    if (value === undefined) return;
    await sleep(heldMs * this.#chance.next());
    guarded.write(fence, value + 1);
  }

  #guarded(name: string): Guarded {
    const { folder, name: process } = this.#assignment;
    return new Guarded(name, path.join(folder, `${name}.guarded.ndjson`), process);
  }
}
