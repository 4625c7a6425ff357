/** The work of the test of a lost store: rows of the app's own table, which nobody loses. */
import { reconcile, task } from "../../src/index.ts";
import { RowsTable } from "../crash/rowsTable.ts";
import type { RowInput } from "../crash/rowsTable.ts";

export function undoneOf(file: string, passes: () => Promise<void>) {
  const table = new RowsTable(file);
  const doRow = task<RowInput>("do-row", {
    uniqueBy: "id",
    unless: ({ id }) => table.isDone(id) && "done already",
    run: async ({ id }) => {
      await passes();
      table.do(id);
    },
  });
  // So seldom that only a new era brings it about.
  return { table, doRow, undone: reconcile(doRow, { every: "300d", find: () => table.undone() }) };
}
