/** The two phases side by side. */
import { styleText } from "node:util";
import type { Figures } from "./figures.ts";

interface Row {
  readonly label: string;
  readonly of: (figures: Figures) => string;
}

const none = "–";
const rows: readonly (Row | undefined)[] = [
  { label: "orders sent", of: ({ sent }) => counted(sent) },
  { label: "customers told that it failed", of: ({ failed }) => counted(failed) },
  { label: "  … while no third party was down", of: ({ failedWithoutOutage }) => counted(failedWithoutOutage) },
  { label: "  … although the card was charged", of: ({ failedButCharged }) => counted(failedButCharged) },
  { label: "response, p50", of: ({ p50Ms }) => milliseconds(p50Ms) },
  { label: "response, p99", of: ({ p99Ms }) => milliseconds(p99Ms) },
  undefined,
  { label: "orders in the database", of: ({ stored }) => counted(stored) },
  { label: "effects they need, ten each", of: ({ expected }) => counted(expected) },
  { label: "effects done", of: ({ done }) => counted(done) },
  { label: "effects lost", of: ({ lost }) => counted(lost) },
  { label: "  … of orders that were accepted", of: ({ lostOfAccepted }) => counted(lostOfAccepted) },
  { label: "calls repeated (retries)", of: ({ retries }) => counted(retries) },
  { label: "effects attempted twice", of: ({ attemptedTwice }) => counted(attemptedTwice) },
  { label: "effects done twice", of: ({ doneTwice }) => counted(doneTwice) },
  { label: "ledger entries out of order", of: ({ entriesOutOfOrder }) => counted(entriesOutOfOrder) },
  undefined,
  { label: "receipts asked for again", of: ({ resent }) => (resent.asked > 0 ? counted(resent.asked) : none) },
  { label: "  … joined the one that waited", of: ({ resent }) => (resent.asked > 0 ? counted(resent.joined) : none) },
  { label: "runs skipped, already sent", of: ({ skipped, kind }) => (kind === "errand" ? counted(skipped) : none) },
  { label: "workers killed with SIGKILL", of: ({ workersKilled, kind }) => (kind === "errand" ? counted(workersKilled) : none) },
  { label: "receipts caught up after the outage", of: ({ caughtUpMs }) => after(caughtUpMs) },
  { label: "all done after the last order", of: ({ finishedMs }) => after(finishedMs) },
];

export function tableOf(columns: readonly Figures[]): string {
  const cells = rows.map((row) => row && { label: row.label, values: columns.map(row.of) });
  const labelWidth = Math.max(...cells.map((cell) => cell?.label.length ?? 0));
  const widths = columns.map((figures, column) => Math.max(figures.kind.length, ...cells.map((cell) => cell?.values[column]?.length ?? 0)));
  const line = (label: string, values: readonly string[]): string =>
    `  ${label.padEnd(labelWidth)}${values.map((value, column) => `   ${value.padStart(widths[column] ?? 0)}`).join("")}`;
  const rule = `  ${"─".repeat(labelWidth + widths.reduce((sum, width) => sum + width + 3, 0))}`;
  const heading = styleText(
    "bold",
    line(
      "",
      columns.map(({ kind }) => kind),
    ),
  );
  return [heading, rule, ...cells.map((cell) => (cell ? line(cell.label, cell.values) : "")), rule].join("\n");
}

function counted(number: number): string {
  return number.toLocaleString("en");
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(ms < 100 ? 1 : 0)} ms`;
}

function after(ms: number | undefined): string {
  return ms === undefined ? "never" : `${(ms / 1_000).toFixed(1)} s`;
}
