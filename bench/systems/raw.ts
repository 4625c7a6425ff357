/** The limit: the same rows through the bare driver in the same batches, at synchronous=FULL, with no features at all. */
import Database from "better-sqlite3";
import { callers, rate, type System } from "./system.ts";

const batch = 1_000;

export const raw: System = {
  name: "bare driver",
  settings: "better-sqlite3, one table, one index, synchronous=FULL, prepared statements, transactions of 1,000",
  answers: {
    bulk: async (file, jobs) => {
      const { db, insert } = open(file);
      return rate(jobs, () => fill(db, insert, jobs));
    },
    single: async (file, jobs) => {
      const { insert } = open(file);
      return rate(jobs, () => {
        for (let id = 0; id < jobs; id++) insert.run(id, payload(id));
      });
    },
    /** Callers that share one transaction per turn of the event loop. */
    awaiting64: async (file, jobs) => {
      const { db, insert } = open(file);
      let waiting: (() => void)[] = [];
      const flush = db.transaction((count: number) => {
        for (let index = 0; index < count; index++) insert.run(null, payload(1));
      });
      const enqueue = (): Promise<void> =>
        new Promise((resolve) => {
          waiting.push(resolve);
          if (waiting.length > 1) return;
          setImmediate(() => {
            const callers = waiting;
            waiting = [];
            flush(callers.length);
            for (const done of callers) done();
          });
        });
      return rate(jobs, () => callers(jobs, enqueue));
    },
    drain: async (file, jobs) => {
      const { db, insert } = open(file);
      fill(db, insert, jobs);
      return rate(jobs, () => drain(db));
    },
  },
};

function payload(id: number): string {
  return JSON.stringify({ id });
}

function open(file: string): { db: Database.Database; insert: Database.Statement } {
  const db = new Database(file);
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec("CREATE TABLE job (id INTEGER PRIMARY KEY, state INTEGER NOT NULL DEFAULT 0, payload TEXT NOT NULL); CREATE INDEX ready ON job (state, id)");
  return { db, insert: db.prepare("INSERT INTO job (id, payload) VALUES (?, ?)") };
}

function fill(db: Database.Database, insert: Database.Statement, jobs: number): void {
  const many = db.transaction((from: number, to: number) => {
    for (let id = from; id < to; id++) insert.run(id, payload(id));
  });
  for (let at = 0; at < jobs; at += batch) many(at, Math.min(jobs, at + batch));
}

/** Settle the last batch and claim the next in one transaction. */
function drain(db: Database.Database): void {
  const claim = db.prepare("UPDATE job SET state = 1 WHERE id IN (SELECT id FROM job WHERE state = 0 ORDER BY id LIMIT ?) RETURNING id, payload");
  const settle = db.prepare("DELETE FROM job WHERE id = ?");
  let held: { id: number; payload: string }[] = [];
  const turn = db.transaction(() => {
    for (const job of held) settle.run(job.id);
    held = claim.all(batch) as typeof held;
  });
  do {
    turn();
    for (const job of held) JSON.parse(job.payload);
  } while (held.length > 0);
}
