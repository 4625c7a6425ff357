/** Limits and resources of whole tasks (G9): what running jobs hold of them, and what room a call has left. Their numbers stand in notes. */
import type { TaskTerms } from "../core/engine.ts";
import type { StoredLimit } from "../core/notes.ts";
import type { Instant } from "../core/runtime.ts";
import type { Statements } from "./statements.ts";
import type { Transaction } from "./transaction.ts";

/** By errand_terms_running: as many as tasks have had terms. */
const runningTerms = "SELECT id, terms, running FROM errand_terms WHERE running > 0";
/** By UNIQUE (terms). */
const handOut = `INSERT INTO errand_terms (terms, running) VALUES (?, ?)
  ON CONFLICT (terms) DO UPDATE SET running = running + excluded.running RETURNING id`;
/** By rowid. */
const giveBack = "UPDATE errand_terms SET running = running - ? WHERE id = ?";
/** By primary key: about 1,000 rows at most. */
const countedStarts = "SELECT at, starts FROM errand_gate_starts WHERE name = ? AND at > ? ORDER BY at";
const addStarts = "INSERT INTO errand_gate_starts (name, at, starts) VALUES (?, ?, ?) ON CONFLICT (name, at) DO UPDATE SET starts = starts + excluded.starts";
const forgetStarts = "DELETE FROM errand_gate_starts WHERE name = ? AND at <= ?";

/** What a job holds while it runs. */
interface Held {
  readonly gates: readonly string[];
  readonly needs: Readonly<Record<string, number>>;
}

/** What running jobs hold, and what this transaction changes of it. */
export class Gates {
  readonly #back = new Map<number, number>();

  giveBack(terms: number, jobs: number): void {
    this.#back.set(terms, (this.#back.get(terms) ?? 0) + jobs);
  }

  /** Answers the number that the running jobs carry. */
  handOut(tx: Transaction, held: Held, jobs: number): number {
    return tx.sql.value<number>(handOut, JSON.stringify(held), jobs) ?? 0;
  }

  running(sql: Statements): { readonly held: Held; readonly jobs: number }[] {
    return sql
      .tuples<[id: number, terms: string, running: number]>(runningTerms)
      .map(([id, terms, running]) => ({ held: JSON.parse(terms) as Held, jobs: running - (this.#back.get(id) ?? 0) }));
  }

  write(sql: Statements): void {
    for (const [terms, jobs] of this.#back) sql.run(giveBack, jobs, terms);
    this.#back.clear();
  }
}

/** Each name once, in order, so that the same terms are the same text. */
export function heldUnder({ gates = [], needs = {} }: TaskTerms): Held {
  const amounts = Object.entries(needs).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { gates: [...new Set(gates)].toSorted(), needs: Object.fromEntries(amounts) };
}

/** It is never held ahead, nor handed out in a row. */
export function isGated(terms: TaskTerms | undefined): boolean {
  return terms !== undefined && ((terms.gates?.length ?? 0) > 0 || Object.keys(terms.needs ?? {}).length > 0);
}

export function runningUnder(tx: Transaction, name: string): number {
  return tx.gates.running(tx.sql).reduce((sum, { held, jobs }) => (held.gates.includes(name) ? sum + jobs : sum), 0);
}

export function amountInUse(tx: Transaction, name: string): number {
  return tx.gates.running(tx.sql).reduce((sum, { held, jobs }) => sum + (held.needs[name] ?? 0) * jobs, 0);
}

/** Starts that count now, oldest first. */
export function startsUnder(tx: Transaction, name: string, everyMs: number): [at: Instant, starts: number][] {
  return tx.sql.tuples<[number, number]>(countedStarts, name, tx.now - everyMs);
}

/** `jobs` started under it. What counts no more is forgotten. */
export function recordStarts(tx: Transaction, name: string, everyMs: number, jobs: number): void {
  const step = Math.max(1, Math.floor(everyMs / 1_000));
  tx.sql.run(addStarts, name, Math.ceil(tx.now / step) * step, jobs);
  tx.sql.run(forgetStarts, name, tx.now - everyMs);
}

/** A limit that is deleted, or counts something else now, forgets its starts. */
export function forgetAllStarts(tx: Transaction, name: string): void {
  tx.sql.run(forgetStarts, name, Number.MAX_SAFE_INTEGER);
}

/** When the next may start; undefined: now, or never. */
export function freeAtOf(tx: Transaction, name: string, limit: StoredLimit): Instant | undefined {
  if ("running" in limit || limit.starts === 0) return undefined;
  const counted = startsUnder(tx, name, limit.everyMs);
  let over = counted.reduce((sum, [, starts]) => sum + starts, 0) - limit.starts;
  if (over < 0) return undefined;
  for (const [at, starts] of counted) {
    over -= starts;
    if (over < 0) return at + limit.everyMs;
  }
  return undefined;
}
