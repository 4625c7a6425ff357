/** The command line. */
import { parseArgs } from "node:util";

export interface Options {
  readonly customers: number;
  readonly seed: string;
  readonly isJson: boolean;
  readonly isKept: boolean;
}

export const usage = `Usage: npm run month-close -- [options]

  --customers N     how many to close the month for; default 5,000
  --seed N          who changes what, and which calls fail; default 1
  --json            the figures as JSON instead of a table
  --keep            keep the databases and logs of the run
  --help
`;

/** Undefined: help was asked for. Throws an Error that says what is wrong. */
export function optionsFrom(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      customers: { type: "string", default: "5000" },
      seed: { type: "string", default: "1" },
      json: { type: "boolean", default: false },
      keep: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  return { customers: wholeNumber("--customers", values.customers, 100, 9_999), seed: values.seed, isJson: values.json, isKept: values.keep };
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new Error(`${name} ${text}: give a whole number from ${least} to ${most}`);
}
