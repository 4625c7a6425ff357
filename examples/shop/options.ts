/** The command line. */
import { parseArgs } from "node:util";
import { engines } from "./engines.ts";

export interface Options {
  readonly engine: string;
  readonly orders: number;
  /** Orders a second. */
  readonly rate: number;
  readonly seed: string;
  readonly isJson: boolean;
  readonly isKept: boolean;
}

const ordersPerSecond = 50;

export const usage = `Usage: npm start -- [options]

  --engine NAME     where errand keeps its work, and the shop its orders: sqlite, or
                    postgres (DATABASE_URL, else localhost:5432, else one of its own);
                    or redis (REDIS_URL, else one of its own, else localhost:6379),
                    and the orders in a SQLite file
  --orders N        how many of the 2,000 orders to place
  --seed N          which calls of the third party fail; default 1
  --fast            a short form: 300 orders
  --json            the figures as JSON instead of a table
  --keep            keep the databases and logs of the run
  --help
`;

/** Undefined: help was asked for. Throws an Error that says what is wrong. */
export function optionsFrom(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      engine: { type: "string", default: "sqlite" },
      orders: { type: "string" },
      seed: { type: "string", default: "1" },
      fast: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      keep: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  if (!Object.hasOwn(engines, values.engine))
    throw new Error(`--engine ${values.engine}: the shop runs on ${Object.keys(engines).join(", ")}; leave --engine out`);
  return {
    engine: values.engine,
    orders: wholeNumber("--orders", values.orders ?? (values.fast ? "300" : "2000"), 100, 2_000),
    rate: ordersPerSecond,
    seed: values.seed,
    isJson: values.json,
    isKept: values.keep,
  };
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new Error(`${name} ${text}: give a whole number from ${least} to ${most}`);
}
