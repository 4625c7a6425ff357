/** Hands in what only a run on servers of its own has: by the app's transactions, by rows of the app's, by bursts, many at once, and what kills its worker. */
import type { Broker } from "../../../src/index.ts";
import type { HistoryWriter, OwnKind } from "../../../src/verify/history.ts";
import type { Seeded } from "../../../src/verify/seeded.ts";
import { sleep } from "../../../src/verify/sleep.ts";
import type { Assignment } from "../../../src/verify/workload/assignment.ts";
import { Calls, type Noted } from "../../../src/verify/workload/calls.ts";
import type { Errand } from "../../../src/index.ts";
import { AppRows } from "./appRows.ts";
import * as definitions from "./definitions.ts";
import { environmentHere, type Rates } from "./environment.ts";
import { bulkJobs } from "./policies.ts";
import { transactionsOf, type Transactions } from "./transactions.ts";

const rolledBackShare = 0.3;
const burst = 12;
/** Calls under way at once, of each kind. */
const callsMost = 8;

const accepted = ({ id, isDuplicate }: { readonly id: string; readonly isDuplicate: boolean }): Noted => ({ id, isDuplicate });

export class OwnProducer {
  readonly #work: Broker;
  readonly #assignment: Assignment;
  readonly #chance: Seeded;
  readonly #history: HistoryWriter;
  readonly #calls: Calls;
  readonly #rows: AppRows;
  readonly #stop: AbortController = new AbortController();
  #named = 0;

  constructor(work: Broker, assignment: Assignment, { chance, history }: { readonly chance: Seeded; readonly history: HistoryWriter }) {
    this.#work = work;
    this.#assignment = assignment;
    this.#chance = chance;
    this.#history = history;
    this.#calls = new Calls(history, () => this.#stop.signal.aborted);
    this.#rows = new AppRows(assignment.folder, assignment.name);
  }

  /** Goes on until it is stopped; resolves when its last call was answered. */
  async run(): Promise<void> {
    const { app, rates } = environmentHere();
    const transactions = app === undefined ? undefined : transactionsOf(app, this.#work);
    const making: Readonly<Record<keyof Rates, () => Promise<unknown>>> = {
      bulk: () => this.#bulk(),
      within: () => (transactions === undefined ? Promise.resolve() : this.#within(transactions)),
      restored: () => this.#restored(),
      paced: () => this.#paced(),
      poison: () => this.#poison(),
    };
    await Promise.all(Object.entries(making).map(([kind, make]) => this.#goOn(kind === "paced" ? rates.paced / burst : rates[kind as keyof Rates], make)));
    await transactions?.close();
  }

  stop(): void {
    this.#stop.abort(new Error("stopped"));
  }

  async #goOn(rate: number, make: () => Promise<unknown>): Promise<void> {
    const under = new Set<Promise<unknown>>();
    while (rate > 0 && !this.#stop.signal.aborted) {
      await sleep((1_000 / rate) * this.#chance.between(0.5, 1.5), this.#stop.signal).catch(() => undefined);
      if (this.#stop.signal.aborted || under.size >= callsMost) continue;
      const doing = make();
      under.add(doing);
      doing.finally(() => under.delete(doing)).catch(() => undefined);
    }
    await Promise.all(under);
  }

  #name(kind: OwnKind): string {
    return `${this.#assignment.name}-${kind}${++this.#named}`;
  }

  #enqueue(kind: OwnKind, n: string, errand: Errand): Promise<unknown> {
    return this.#calls.make({ op: "enqueue", kind, n }, () => this.#work.enqueue(errand), accepted);
  }

  #bulk(): Promise<unknown> {
    const n = this.#name("bulk");
    const ids = Array.from({ length: bulkJobs }, (_, at) => `${n}.${at}`);
    const errands = ids.map((id) => definitions.bulk.with({ n: id, ms: 0 }, { id }));
    return this.#calls.make(
      { op: "bulk", n, jobs: bulkJobs },
      () => this.#work.enqueue(errands),
      () => ({}),
    );
  }

  /** The row and its job, or neither. */
  async #within(transactions: Transactions): Promise<void> {
    const n = this.#name("within");
    const isRolledBack = this.#chance.isIn(rolledBackShare);
    const errand = definitions.within.with({ n, ms: Math.round(this.#chance.between(1, 30)) }, { id: n });
    const seq = this.#history.call({ op: "enqueue", kind: "within", n });
    const { is, code } = await transactions.make(n, errand, isRolledBack);
    this.#history.write({ is, seq, ...(is === "ok" ? { id: n, isDuplicate: false } : { code }) });
  }

  /** The row stands, whatever becomes of the call. */
  async #restored(): Promise<void> {
    const n = this.#name("restored");
    this.#rows.add(n);
    await this.#enqueue("restored", n, definitions.restored.with({ n, ms: Math.round(this.#chance.between(1, 200)) }));
  }

  async #paced(): Promise<void> {
    const names = Array.from({ length: burst }, () => this.#name("paced"));
    await Promise.all(names.map((n) => this.#enqueue("paced", n, definitions.paced.with({ n, ms: 2 }, { id: n }))));
  }

  async #poison(): Promise<void> {
    const n = this.#name("poison");
    const how = this.#chance.isIn(0.5) ? "exit" : "kill";
    await this.#enqueue("poison", n, definitions.poison.with({ n, ms: 0, how }, { id: n }));
  }
}
