/** A worker process that does the rows of the app's table: says "ready" when it works, ends by signals. */
import { setTimeout as sleep } from "node:timers/promises";
import { broker, reconcile, task } from "../../src/index.ts";
import { RowsTable, type RowInput } from "./rowsTable.ts";

const table = new RowsTable(process.env["ROWS"] ?? "");

/** Slower than rows are found, so that most of them wait while they are looked for again. */
const doRow = task<RowInput>("do-row", {
  uniqueBy: "id",
  run: async ({ id }) => {
    await sleep(1);
    table.do(id);
  },
});
const undone = reconcile(doRow, { every: "2s", find: () => table.undone() });

const work = broker(process.env["STORE"] ?? "", { undone });
await work.start({ queues: { default: Number(process.env["HANDS"] ?? 10) }, grace: "2s" });
process.send?.("ready");
