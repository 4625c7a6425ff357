/** Jobs that belong together (G11): their rows, read once and written at most once in a transaction. What happens to the members is in joinPasses.ts. */
import type { Instant } from "../core/runtime.ts";
import type { Statements } from "./statements.ts";
import type { Transaction } from "./transaction.ts";

/** removed: its storing was given up; its members are being removed. */
export const joinStates = { staged: 0, waiting: 1, open: 2, closed: 3, removed: 4 } as const;

export const endedCodes = { open: 0, well: 1, badly: 2 } as const;

export interface Join {
  readonly seq: number;
  readonly id: string;
  readonly name: string;
  readonly content: string;
  readonly parent: number | null;
  /** JSON of After[]. */
  readonly after: string | null;
  readonly storedAt: Instant;
  readonly rememberUntil: Instant | null;
  state: number;
  ended: number;
  size: number | null;
  given: number;
  members: number;
  live: number;
  succeeded: number;
  failed: number;
  isCancelled: number;
  /** How its members end, because what it comes after ended otherwise than asked. */
  fate: "cancelled" | "skipped" | null;
  /** Of the cancel, or of the fate. */
  reason: string | null;
  touchedAt: Instant;
  closedAt: Instant | null;
  purgeAt: Instant | null;
}

/** By errand_jobs_id. */
const jobOfId = "SELECT seq FROM errand_jobs WHERE id = ?";
const columns = `seq, id, name, content, parent, after, stored_at AS storedAt, remember_until AS rememberUntil, state, ended, size, given, members, live,
  succeeded, failed, is_cancelled AS isCancelled, fate, reason, touched_at AS touchedAt, closed_at AS closedAt, purge_at AS purgeAt`;
/** By UNIQUE (id). */
const byId = `SELECT ${columns} FROM errand_joins WHERE id = ?`;
/** By rowid. */
const bySeq = `SELECT ${columns} FROM errand_joins WHERE seq = ?`;
const addJoin = `INSERT INTO errand_joins (seq, id, name, content, state, parent, size, after, stored_at, touched_at, remember_until)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const writeJoin = `UPDATE errand_joins SET state = ?, ended = ?, size = ?, given = ?, members = ?, live = ?, succeeded = ?, failed = ?, is_cancelled = ?, fate = ?,
  reason = ?, touched_at = ?, closed_at = ?, purge_at = ? WHERE seq = ?`;
const tellEnding = "UPDATE errand_joins SET ended = ? WHERE seq = ?";
const removeJoin = "DELETE FROM errand_joins WHERE seq = ?";

/** The number of the job or join of that id; a job goes before a join. 0: there is none. */
export function nodeOf(tx: Transaction, id: string): number {
  const job = tx.sql.value<number>(jobOfId, id);
  if (job !== undefined) return job;
  return tx.joins.find(tx.sql, id)?.seq ?? 0;
}

/** One that was cancelled lets nobody go. */
export function isOpen({ state, isCancelled }: Join): boolean {
  return state === joinStates.open && isCancelled === 0;
}

/** New works may name it. */
export function takesMembers({ state, isCancelled, fate }: Join): boolean {
  return state < joinStates.closed && isCancelled === 0 && fate === null;
}

/** The joins that a transaction has to do with. */
export class Joins {
  readonly #bySeq = new Map<number, Join>();
  readonly #byId = new Map<string, Join>();
  readonly #changed = new Set<Join>();

  at(sql: Statements, seq: number): Join | undefined {
    return this.#bySeq.get(seq) ?? this.#learn(sql.get<Join>(bySeq, seq));
  }

  find(sql: Statements, id: string): Join | undefined {
    return this.#byId.get(id) ?? this.#learn(sql.get<Join>(byId, id));
  }

  add(sql: Statements, join: Join): void {
    const { seq, id, name, content, state, parent, size, after, storedAt, touchedAt, rememberUntil } = join;
    sql.run(addJoin, seq, id, name, content, state, parent, size, after, storedAt, touchedAt, rememberUntil);
    this.#learn(join);
  }

  /** Written before the transaction ends. */
  change(join: Join, change: Partial<Omit<Join, "seq" | "ended">> = {}): void {
    Object.assign(join, change);
    this.#changed.add(join);
  }

  /** Told at once: whatever comes after it is judged by its row. */
  end(sql: Statements, join: Join, ended: number): void {
    join.ended = ended;
    this.#changed.add(join);
    sql.run(tellEnding, ended, join.seq);
  }

  write(sql: Statements): void {
    for (const join of this.#changed) {
      const { state, ended, size, given, members, live, succeeded, failed, isCancelled, fate, reason, touchedAt, closedAt, purgeAt, seq } = join;
      sql.run(writeJoin, state, ended, size, given, members, live, succeeded, failed, isCancelled, fate, reason, touchedAt, closedAt, purgeAt, seq);
    }
    this.#changed.clear();
  }

  remove(sql: Statements, join: Join): void {
    this.#changed.delete(join);
    this.#bySeq.delete(join.seq);
    this.#byId.delete(join.id);
    sql.run(removeJoin, join.seq);
  }

  #learn(join: Join | undefined): Join | undefined {
    if (join === undefined) return undefined;
    this.#bySeq.set(join.seq, join);
    this.#byId.set(join.id, join);
    return join;
  }
}
