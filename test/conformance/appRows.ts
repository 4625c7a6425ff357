/** The app's own rows in errand's file, on a handle of the app's. */
import Database from "better-sqlite3";
import type { AppStore } from "../../src/conformance/index.ts";
import type { SyncTransaction, Transaction } from "../../src/index.ts";

export class AppRows implements AppStore {
  readonly #file: () => string;
  #open: Database.Database | undefined;

  /** Opened when first needed: most laws never look. */
  constructor(file: () => string) {
    this.#file = file;
  }

  transaction(...steps: readonly ((tx: Transaction) => unknown)[]): void {
    const run = this.#database.transaction(() => {
      for (const step of steps) step(this.#database);
    });
    run.immediate();
  }

  add(tx: Transaction, name: string): void {
    (tx as SyncTransaction).prepare("INSERT INTO app_rows (name) VALUES (?)").run(name as never);
  }

  count(name: string): number {
    return this.#database.prepare<[string], { n: number }>("SELECT count(*) AS n FROM app_rows WHERE name = ?").get(name)?.n ?? 0;
  }

  close(): void {
    this.#open?.close();
  }

  get #database(): Database.Database {
    if (this.#open !== undefined) return this.#open;
    const database = new Database(this.#file());
    database.pragma("journal_mode = WAL");
    database.pragma("synchronous = FULL");
    database.exec("CREATE TABLE IF NOT EXISTS app_rows (name TEXT NOT NULL)");
    this.#open = database;
    return database;
  }
}
