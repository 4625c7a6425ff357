/** Notes: small versioned documents, compared and set in the atom of `enqueue`. */
import type { Note, NoteWrite } from "../core/engine.ts";
import { ErrandError } from "../core/errors.ts";
import { limitPrefix, replayKey, resourcePrefix, subscriptionKey, subscriptionPrefix } from "../core/notes.ts";
import type { StoredLimit } from "../core/notes.ts";
import { forgetAllStarts } from "./gates.ts";
import { parseSubscription } from "./notices.ts";
import { startReplay } from "./replay.ts";
import type { Statements } from "./statements.ts";
import type { Transaction } from "./transaction.ts";

/** By primary key. */
const read = "SELECT key, version, value, written_at AS writtenAt FROM errand_notes WHERE key = ?";
const write = `INSERT INTO errand_notes (key, version, value, written_at) VALUES (?, 1, ?, ?)
  ON CONFLICT (key) DO UPDATE SET version = version + 1, value = excluded.value, written_at = excluded.written_at`;
const remove = "DELETE FROM errand_notes WHERE key = ?";

export function readNote(sql: Statements, key: string): Note | undefined {
  const note = sql.get<Note>(read, key);
  return note && { ...note };
}

/** Why these writes cannot stand, if so: a note is not in the version that its writer believes in. Each write sees those before it. */
export function noteConflict(tx: Transaction, writes: readonly NoteWrite[]): ErrandError | undefined {
  const versions = new Map<string, number>();
  for (const { key, value, ifVersion } of writes) {
    const version = versions.get(key) ?? readNote(tx.sql, key)?.version ?? 0;
    if (ifVersion !== undefined && ifVersion !== version) {
      const details = { key, version, ifVersion };
      return new ErrandError("note-conflict", `note ${key} is at version ${version}, not ${ifVersion}; read it again and repeat the change`, { details });
    }
    versions.set(key, value === undefined ? 0 : version + 1);
  }
  return undefined;
}

/** With what follows from it: a new subscription's history, the end of a pause. */
export function writeNote(tx: Transaction, { key, value }: NoteWrite): void {
  const isFirst = readNote(tx.sql, key) === undefined;
  setNote(tx, key, value);
  if (key.startsWith(subscriptionPrefix)) {
    if (value === undefined) setNote(tx, replayKey(key.slice(subscriptionKey("").length)), undefined);
    else if (isFirst) startReplay(tx, parseSubscription(value));
  }
  if (key.startsWith(limitPrefix) && !isOfStarts(value)) forgetAllStarts(tx, key.slice(limitPrefix.length));
  // It may have been a pause that ended, or a limit that leaves more room now.
  if (value === undefined || key.startsWith(limitPrefix) || key.startsWith(resourcePrefix)) tx.isReadied = true;
}

function isOfStarts(value: string | undefined): boolean {
  return value !== undefined && "starts" in (JSON.parse(value) as StoredLimit);
}

export function setNote(tx: Transaction, key: string, value: string | undefined): void {
  if (value === undefined) tx.sql.run(remove, key);
  else tx.sql.run(write, key, value, tx.now);
  tx.noteWritten();
}
