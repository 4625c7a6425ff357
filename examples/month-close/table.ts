/** Both runs side by side. */
import { styleText } from "node:util";
import type { GuardsAtWork } from "./guardsAtWork.ts";
import type { Outcome } from "./run.ts";
import { wrongLabels, type WrongKind } from "./wrongs.ts";

type Either = Outcome<GuardsAtWork | undefined>;
interface Row {
  readonly label: string;
  readonly of: (outcome: Either) => string;
  readonly isBold?: true;
}

const none = "–";
const rows: readonly (Row | undefined)[] = [
  { label: "time", of: ({ tookMs }) => `${(tookMs / 1_000).toFixed(1)} s`, isBold: true },
  { label: "wrong charges", of: ({ audit }) => counted(audit.wrong.length), isBold: true },
  ...(Object.keys(wrongLabels) as WrongKind[]).map((kind) => ({
    label: `  … ${wrongLabels[kind]}`,
    of: ({ audit }: Either) => counted(audit.wrong.filter((finding) => finding.kind === kind).length),
  })),
  undefined,
  { label: "changes in the world meanwhile", of: ({ audit }) => counted(audit.changes) },
  { label: "charges made", of: ({ audit }) => counted(audit.charges) },
  { label: "declined by the bank", of: ({ audit }) => counted(audit.declined) },
  { label: "accounts put on hold", of: ({ audit }) => counted(audit.held) },
  { label: "  … wrongly, or wrongly not", of: ({ audit }) => counted(audit.heldWrongly) },
  { label: "letters sent", of: ({ audit }) => counted(audit.letters) },
  { label: "  … missing", of: ({ audit }) => counted(audit.lettersMissing) },
  { label: "  … sent twice", of: ({ audit }) => counted(audit.lettersTwice) },
  { label: "  … telling another sum than was charged", of: ({ audit }) => counted(audit.lettersWrong) },
  { label: "charges the app's books do not know", of: ({ audit }) => counted(audit.disagreements) },
  { label: "processes killed with SIGKILL", of: ({ killed }) => counted(killed) },
  undefined,
  { label: "charges skipped: the account was closed", of: told(({ closed }) => closed) },
  { label: "  … no card on file", of: told(({ noCard }) => noCard) },
  { label: "  … a credit covered it", of: told(({ nothingDue }) => nothingDue) },
  { label: "lowered by a credit before they were made", of: told(({ lowered }) => lowered) },
  { label: "invoiced anew, in the new currency", of: told(({ invoicedAnew }) => invoicedAnew) },
  { label: "charges tried again", of: told(({ retries }) => retries) },
  { label: "  … that had been made: known by their key", of: ({ told: is, repeated }) => (is === undefined ? none : counted(repeated)) },
  { label: "jobs", of: told(({ jobs }) => jobs) },
];

export function tableOf(outcomes: readonly Either[]): string {
  const cells = rows.map((row) => row && { ...row, values: outcomes.map(row.of) });
  const labelWidth = Math.max(...cells.map((cell) => cell?.label.length ?? 0));
  const widths = outcomes.map(({ name }, column) => Math.max(name.length, ...cells.map((cell) => cell?.values[column]?.length ?? 0)));
  const line = (label: string, values: readonly string[]): string =>
    `  ${label.padEnd(labelWidth)}${values.map((value, column) => `   ${value.padStart(widths[column] ?? 0)}`).join("")}`;
  const rule = `  ${"─".repeat(labelWidth + widths.reduce((sum, width) => sum + width + 3, 0))}`;
  const heading = line(
    "",
    outcomes.map(({ name }) => name),
  );
  const body = cells.map((cell) => {
    if (cell === undefined) return "";
    const text = line(cell.label, cell.values);
    return cell.isBold ? styleText("bold", text) : text;
  });
  return [styleText("bold", heading), rule, ...body, rule].join("\n");
}

function told(number: (guards: GuardsAtWork) => number): (outcome: Either) => string {
  return ({ told: is }) => (is === undefined ? none : counted(number(is)));
}

function counted(number: number): string {
  return number.toLocaleString("en");
}
