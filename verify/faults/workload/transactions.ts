/** Transactions of the app's: each writes a row and hands in a job, and is committed or taken back. */
import Database from "better-sqlite3";
import pg from "pg";
import type { Broker, Errand } from "../../../src/index.ts";
import type { AppDatabase } from "../stage.ts";

export interface Outcome {
  /** info: the commit was not answered. */
  readonly is: "ok" | "fail" | "info";
  readonly code: string;
}

export interface Transactions {
  /** Never rejects. */
  make(n: string, errand: Errand, isRolledBack: boolean): Promise<Outcome>;
  close(): Promise<void>;
}

const rolledBack: Outcome = { is: "fail", code: "rolled-back" };
const committed: Outcome = { is: "ok", code: "" };
const busyTimeoutMs = 5_000;
const answeredWithinMs = 20_000;
const connectedWithinMs = 3_000;

export const appTable = "CREATE TABLE IF NOT EXISTS app_rows (n text PRIMARY KEY)";
export const appRows = "SELECT n FROM app_rows";

export function transactionsOf(app: AppDatabase, work: Broker): Transactions {
  return app.by === "sqlite" ? onSqlite(app.file, work) : onPostgres(app.url, work);
}

function onSqlite(file: string, work: Broker): Transactions {
  const db = new Database(file, { timeout: busyTimeoutMs });
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec(appTable);
  const insert = db.prepare("INSERT INTO app_rows (n) VALUES (?)");
  const make = (n: string, errand: Errand, isRolledBack: boolean): Outcome => {
    try {
      db.exec("BEGIN IMMEDIATE");
    } catch {
      return rolledBack; // others have the file: nothing was begun
    }
    try {
      insert.run(n);
      work.within(db).enqueue(errand);
    } catch (error) {
      if (db.inTransaction) db.exec("ROLLBACK");
      return failed(error);
    }
    if (isRolledBack) {
      db.exec("ROLLBACK");
      return rolledBack;
    }
    try {
      db.exec("COMMIT");
      return committed;
    } catch (error) {
      if (!db.inTransaction) return { ...failed(error), is: "info" };
      db.exec("ROLLBACK");
      return failed(error);
    }
  };
  return {
    make: (n, errand, isRolledBack) => Promise.resolve(make(n, errand, isRolledBack)),
    close: () => Promise.resolve(void db.close()),
  };
}

function onPostgres(url: string, work: Broker): Transactions {
  const pool = new pg.Pool({ connectionString: url, max: 2, connectionTimeoutMillis: connectedWithinMs, query_timeout: answeredWithinMs });
  pool.on("error", () => undefined);
  const make = async (n: string, errand: Errand, isRolledBack: boolean): Promise<Outcome> => {
    let client: pg.PoolClient;
    try {
      client = await pool.connect();
    } catch (error) {
      return failed(error);
    }
    const ignore = (): void => undefined;
    client.on("error", ignore);
    let isCommitting = false;
    try {
      await client.query("BEGIN");
      await client.query("INSERT INTO public.app_rows (n) VALUES ($1)", [n]);
      await work.within(client).enqueue(errand);
      isCommitting = !isRolledBack;
      const { command } = await client.query(isRolledBack ? "ROLLBACK" : "COMMIT");
      client.off("error", ignore).release();
      return command === "COMMIT" ? committed : rolledBack;
    } catch (error) {
      client.release(true);
      return isCommitting ? { ...failed(error), is: "info" } : failed(error);
    }
  };
  return { make, close: () => pool.end() };
}

function failed(error: unknown): Outcome {
  return { is: "fail", code: error instanceof Error ? `app: ${error.message.slice(0, 100)}` : "app" };
}
