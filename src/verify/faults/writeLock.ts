/** Somebody else who writes into the file for long. */
import { sleep } from "../sleep.ts";

const againMs = 5;
const tries = 2_000;

/** Resolves when it is had, with what gives it back. */
export async function holdWriteLock(file: string): Promise<() => void> {
  const { default: Database } = await import("better-sqlite3");
  const database = new Database(file, { timeout: 0 });
  for (let tried = 1; ; tried++) {
    try {
      database.exec("BEGIN IMMEDIATE");
      break;
    } catch (error) {
      if (tried === tries) {
        database.close();
        throw error;
      }
      await sleep(againMs);
    }
  }
  return () => {
    database.exec("ROLLBACK");
    database.close();
  };
}
