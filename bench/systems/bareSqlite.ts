/** The limit: one table and one index, rows in batches through the bare driver at synchronous=FULL, with no features at all. */
import Database from "better-sqlite3";
import type { Run, WorkingSystem } from "../working.ts";
import { coalesced } from "./coalesced.ts";
import { runAll } from "./runAll.ts";

const install = `
CREATE TABLE IF NOT EXISTS job (id INTEGER PRIMARY KEY, state INTEGER NOT NULL DEFAULT 0, payload TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS ready ON job (state, id)`;
const claim = "UPDATE job SET state = 1 WHERE id IN (SELECT id FROM job WHERE state = 0 ORDER BY id LIMIT ?) RETURNING id, payload";
const batch = 1_000;
const emptyMs = 1;
const busyMs = 10_000;

interface Row {
  readonly id: number;
  readonly payload: string;
}

export const bareSqlite: WorkingSystem = {
  name: "bare driver",
  settings:
    "better-sqlite3, one table, one index, synchronous=FULL, prepared statements, transactions of 1,000, each claim with the removal of the last batch; callers that wait share a transaction",
  produce(file) {
    const db = open(file);
    const insert = db.prepare("INSERT INTO job (payload) VALUES (?)");
    const all = db.transaction((ids: readonly number[]) => {
      for (const id of ids) insert.run(JSON.stringify({ id }));
    });
    const store = async (ids: readonly number[]): Promise<void> => {
      // Whoever comes in this turn of the event loop is there by then.
      if (ids.length === 1) await new Promise((resolve) => setImmediate(resolve));
      all.immediate(ids);
    };
    const count = db.prepare<[], { jobs: number }>("SELECT count(*) AS jobs FROM job");
    return Promise.resolve({
      enqueue: (ids) => Promise.resolve(all.immediate(ids)),
      enqueueOne: coalesced(store),
      counts: () => Promise.resolve({ unended: count.get()?.jobs ?? Number.NaN }),
      close: () => Promise.resolve(void db.close()),
    });
  },
  work(file, { hands }, run) {
    const db = open(file);
    let isStopping = false;
    let atWork: Promise<unknown> = Promise.resolve();
    return Promise.resolve({
      start: () => Promise.resolve(void (atWork = turns(db, hands, run, () => isStopping))),
      async stop() {
        isStopping = true;
        await atWork;
        db.close();
      },
    });
  },
};

function open(file: string): Database.Database {
  const db = new Database(file, { timeout: busyMs });
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec(install);
  return db;
}

/** Settles the last batch and claims the next in one transaction. */
async function turns(db: Database.Database, hands: number, run: Run, isStopping: () => boolean): Promise<void> {
  const [next, settle] = [db.prepare<[number], Row>(claim), db.prepare("DELETE FROM job WHERE id = ?")];
  let held: readonly Row[] = [];
  const turn = db.transaction((most: number): readonly Row[] => {
    for (const { id } of held) settle.run(id);
    return most === 0 ? [] : next.all(most);
  });
  while (held.length > 0 || !isStopping()) {
    held = turn.immediate(isStopping() ? 0 : batch);
    // The event loop has a turn, and a write of an empty file is spared.
    await new Promise((resolve) => (held.length === 0 ? setTimeout(resolve, emptyMs) : setImmediate(resolve)));
    await runAll(
      held.map(({ payload }) => (JSON.parse(payload) as { readonly id: number }).id),
      hands,
      run,
    );
  }
}
