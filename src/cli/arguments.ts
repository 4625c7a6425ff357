/** The command line, read by node:util; a misspelt option names the right one. */
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { ErrandError } from "../core/errors.ts";
import { didYouMean } from "../core/names.ts";

export interface Arguments {
  readonly words: readonly string[];
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
  has(name: string): boolean;
}

/** Throws `cli-usage`. */
export function readArguments(args: readonly string[], options: ParseArgsOptionsConfig): Arguments {
  const known: ParseArgsOptionsConfig = { ...options, json: { type: "boolean" }, help: { type: "boolean", short: "h" } };
  const parsed = parseOrRefuse(args, known);
  const values: Readonly<Record<string, unknown>> = parsed.values;
  return {
    words: parsed.positionals,
    text: (name) => (typeof values[name] === "string" ? values[name] : undefined),
    texts: (name) => (Array.isArray(values[name]) ? (values[name] as string[]) : []),
    has: (name) => values[name] === true,
  };
}

export function usage(message: string): ErrandError {
  return new ErrandError("cli-usage", message);
}

/** A whole number from `least` to `most`, or `otherwise` where the option is absent. Throws `cli-usage`. */
export function numberOf(given: Arguments, name: string, otherwise: number, least: number, most: number): number {
  const text = given.text(name);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw usage(`--${name} is "${text}"; give a whole number from ${least} to ${most}`);
}

function parseOrRefuse(args: readonly string[], options: ParseArgsOptionsConfig): ReturnType<typeof parseArgs> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const misspelt = /Unknown option '--?([^']+)'/.exec(message)?.[1];
    if (misspelt === undefined) throw usage(message);
    throw usage(`there is no option --${misspelt}${didYouMean(misspelt, Object.keys(options)) || `; see --help`}`);
  }
}
