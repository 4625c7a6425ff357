/** The command line, read by node:util; a misspelt option names the right one. */
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { ErrandError } from "../core/errors.ts";
import { didYouMean } from "../core/names.ts";

export interface Arguments {
  readonly words: readonly string[];
  /** The options that were given. */
  readonly names: readonly string[];
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
  has(name: string): boolean;
}

/** Every command has it. */
const helpOption = { help: { type: "boolean", short: "h" } } as const;

/** Throws `cli-usage`. */
export function readArguments(args: readonly string[], options: ParseArgsOptionsConfig): Arguments {
  const parsed = parseOrRefuse(args, { ...options, ...helpOption });
  const values: Readonly<Record<string, unknown>> = parsed.values;
  for (const [name, value] of Object.entries(values)) {
    if ([value].flat().includes("")) throw usage(`--${name} is empty; give it a value, or leave it out`);
  }
  return {
    words: parsed.positionals,
    names: Object.keys(values),
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
  throw usage(`--${name} is "${text}"; give a whole number from ${least} to ${most.toLocaleString("en-US")}`);
}

function parseOrRefuse(args: readonly string[], options: ParseArgsOptionsConfig): ReturnType<typeof parseArgs> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    const [message = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    const misspelt = /Unknown option '(--?[^']+)'/.exec(message)?.[1];
    if (misspelt !== undefined) throw usage(`there is no option ${misspelt}${optionMeant(misspelt, options)}`);
    const empty = /Option '(?:-\w, )?(--[\w-]+).*' argument (?:missing|is ambiguous)/.exec(message)?.[1];
    throw usage(empty === undefined ? message : `${empty} needs a value`);
  }
}

function optionMeant(misspelt: string, options: ParseArgsOptionsConfig): string {
  const guess = misspelt.startsWith("--") ? didYouMean(misspelt.slice(2), Object.keys(options)) : "";
  return guess === ""
    ? `; it takes ${Object.keys(options)
        .map((name) => `--${name}`)
        .join(", ")}`
    : guess.replace('"', '"--');
}
