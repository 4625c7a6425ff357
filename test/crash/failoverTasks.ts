/** The work of the fail-over tests: rows of the app's own table, which nobody loses, and a ledger of what ran. */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { reconcile, task, type Logger } from "../../src/index.ts";
import { now } from "./fleet.ts";
import { RowsTable, type RowInput } from "./rowsTable.ts";

export interface Entry {
  readonly is: "start" | "end" | "new era";
  readonly pid: number;
  readonly at: number;
  readonly row?: number;
  readonly job?: string;
  readonly fence?: number;
}

const table = new RowsTable(process.env["ROWS"] ?? ":memory:");
const runMs = 50;
const ledger = process.env["LEDGER"] ?? "";

export const doRow = task<RowInput>("do-row", {
  uniqueBy: "id",
  retry: { first: "100ms", upTo: "1s" },
  unless: ({ id }) => table.isDone(id) && "done already",
  run: async ({ id }, job) => {
    write({ is: "start", row: id, job: job.id, fence: job.fence });
    await sleep(runMs);
    table.do(id);
    write({ is: "end", row: id, job: job.id, fence: job.fence });
  },
});

/** So seldom that only a new era brings it about. */
export const undone = reconcile(doRow, { every: "300d", find: () => table.undone() });

const silent = (): void => undefined;

/** Writes down when it hears of another era. */
export const log: Logger = {
  debug: silent,
  info: silent,
  error: silent,
  warn: (details) => {
    if ("era" in details) write({ is: "new era" });
  },
};

export function entriesOf(file: string): Entry[] {
  if (!existsSync(file)) return [];
  // A line that is being written is seen in parts where it crosses a page.
  const written = readFileSync(file, "utf8");
  return written
    .slice(0, written.lastIndexOf("\n") + 1)
    .split("\n")
    .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Entry]));
}

function write(entry: Omit<Entry, "pid" | "at">): void {
  appendFileSync(ledger, `${JSON.stringify({ ...entry, pid: process.pid, at: now() })}\n`); // below 4 KiB: one write, so that those of several processes never mix
}
