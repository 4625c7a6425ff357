/** All that the engine writes, as lives of one process on one file: what is prepared, then the steps that are killed, failed and cut. Each is one atom. */
import assert from "node:assert/strict";
import type { Connection } from "../../src/sqlite/driver.ts";
import { Database } from "../../test/sqlite/bench.ts";
import { content1, schema1 } from "../../test/sqlite/schema1.ts";
import type { Hand } from "./hand.ts";
import { claiming, enqueueing, ending, ofTheApp } from "./operationsOfJobs.ts";
import { copies, upkeep } from "./operationsOfUpkeep.ts";

export type Step = (hand: Hand) => unknown;

export interface Operation {
  readonly name: string;
  readonly prepared: readonly Step[];
  readonly steps: readonly Step[];
}

export const open: Step = (hand) => hand.open();
export const close: Step = async (hand) => hand.close();

const opening: readonly Operation[] = [
  { name: "opens a new file", prepared: [], steps: [open] },
  { name: "opens an app's own file", prepared: [appsOwn], steps: [open] },
  { name: "migrates a file of schema 1", prepared: [writtenBySchema1], steps: [open] },
  { name: "closes and opens again", prepared: [open, async (hand) => hand.beat()], steps: [close, open] },
];

export const operations: readonly Operation[] = [...opening, ...[...enqueueing, ...claiming, ...ending, ...ofTheApp, ...upkeep].map(onOpened)];

export function operationOf(name: string): Operation {
  const found = operations.find((operation) => operation.name === name);
  assert.ok(found, `no operation is called "${name}"`);
  return found;
}

/** All steps of a life, in order. */
export function stepsOf({ prepared, steps }: Operation): readonly Step[] {
  return [...prepared, ...steps];
}

/** With a log that begins with what is under test. */
function onOpened({ name, prepared, steps }: Operation): Operation {
  return { name, prepared: [open, ...prepared, copies("TRUNCATE")], steps };
}

/** With a rollback journal, as SQLite makes them unless told otherwise. */
function appsOwn({ file }: Hand): void {
  const app: Connection = new Database(file, { timeout: 0 });
  app.exec("PRAGMA synchronous = EXTRA; BEGIN; CREATE TABLE orders (id TEXT PRIMARY KEY); INSERT INTO orders VALUES ('o1'); COMMIT");
  app.close();
}

/** With a rollback journal as well: what is under test is the opening. */
function writtenBySchema1({ file }: Hand): void {
  const app: Connection = new Database(file, { timeout: 0 });
  app.exec(`PRAGMA synchronous = EXTRA; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN; ${schema1} ${content1} COMMIT`);
  app.close();
}
