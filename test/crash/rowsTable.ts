/** The app's own database of a test: rows that are done or not, which nobody wipes. */
import { createRequire } from "node:module";

interface Statement {
  run(...values: unknown[]): unknown;
  all(...values: unknown[]): unknown[];
  get(...values: unknown[]): unknown;
}
interface Database {
  prepare(sql: string): Statement;
  exec(sql: string): unknown;
  close(): void;
}
const Database = createRequire(import.meta.url)("better-sqlite3") as new (file: string) => Database;

export interface RowInput {
  readonly id: number;
}

export class RowsTable {
  readonly #database: Database;
  readonly #done: Statement;
  readonly #undone: Statement;
  readonly #isDone: Statement;
  readonly #add: Statement;

  constructor(file: string) {
    this.#database = new Database(file);
    // What was committed must outlive a killed process, not a power cut.
    this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA busy_timeout = 20000");
    this.#database.exec("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, done INTEGER NOT NULL DEFAULT 0)");
    this.#database.exec("CREATE INDEX IF NOT EXISTS undone ON rows (id) WHERE done = 0");
    this.#done = this.#database.prepare("UPDATE rows SET done = done + 1 WHERE id = ?");
    this.#undone = this.#database.prepare("SELECT id FROM rows WHERE done = 0 ORDER BY random()");
    this.#isDone = this.#database.prepare("SELECT done > 0 AS is_done FROM rows WHERE id = ?");
    this.#add = this.#database.prepare("INSERT INTO rows (id) VALUES (?)");
  }

  fill(rows: number): void {
    this.#database.exec(`WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < ${rows}) INSERT INTO rows (id) SELECT id FROM n`);
  }

  add(id: number): void {
    this.#add.run(id);
  }

  isDone(id: number): boolean {
    return (this.#isDone.get(id) as { readonly is_done: number } | undefined)?.is_done === 1;
  }

  do(id: number): void {
    this.#done.run(id);
  }

  /** All at once and in any order: many are done before they are looked at. */
  undone(): Promise<readonly RowInput[]> {
    return Promise.resolve(this.#undone.all() as RowInput[]);
  }

  counts(): { readonly undone: number; readonly doubles: number } {
    return this.#database.prepare("SELECT sum(done = 0) AS undone, sum(max(done - 1, 0)) AS doubles FROM rows").get() as { undone: number; doubles: number };
  }

  close(): void {
    this.#database.close();
  }
}
