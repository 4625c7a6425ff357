/** Commands with verbs, as in `errand jobs cancel`: which options and words each verb takes, and what runs it. */
import type { ParseArgsOptionsConfig } from "node:util";
import { didYouMean } from "../core/names.ts";
import { readArguments, usage, type Arguments } from "./arguments.ts";
import { say } from "./output.ts";
import { withStore, type OpenStore } from "./store.ts";

export interface Verb {
  /** Beside --store, --json and --help. */
  readonly takes: readonly string[];
  /** How many words may follow. */
  readonly wordsMax: number;
  /** Answers the exit code. */
  readonly run: (store: OpenStore, given: Arguments, words: readonly string[]) => Promise<number>;
}

export interface VerbCommand {
  readonly name: string;
  readonly help: string;
  readonly options: ParseArgsOptionsConfig;
  /** What was meant by a word that is no verb. */
  readonly stranger?: (word: string) => string;
  /** The first one is meant where none is named. */
  readonly verbs: Readonly<Record<string, Verb>>;
}

const commonOptions = { store: { type: "string" }, json: { type: "boolean" } } as const;

/** Throws `cli-usage`. */
export async function runVerb(command: VerbCommand, args: readonly string[]): Promise<number> {
  const given = readArguments(args, { ...command.options, ...commonOptions });
  if (given.has("help")) {
    say(command.help);
    return 0;
  }
  const [name = Object.keys(command.verbs)[0] ?? "", ...words] = given.words;
  const verb = Object.hasOwn(command.verbs, name) ? command.verbs[name] : undefined;
  if (verb === undefined)
    throw usage(
      `${command.name} has no "${name}"${didYouMean(name, Object.keys(command.verbs)) || `; it has ${Object.keys(command.verbs).join(", ")}`}${command.stranger?.(name) ?? ""}`,
    );
  refuseOptions(`${command.name} ${name}`, verb, given);
  const tooMany = words[verb.wordsMax];
  if (tooMany !== undefined) throw usage(`${command.name} ${name} does not take "${tooMany}"; errand ${command.name} --help says what it takes`);
  return withStore(given, (store) => verb.run(store, given, words));
}

function refuseOptions(owner: string, verb: Verb, given: Arguments): void {
  const known = [...verb.takes, ...Object.keys(commonOptions)];
  const wrong = given.names.find((name) => !known.includes(name));
  if (wrong !== undefined) throw usage(`${owner} does not take --${wrong}; it takes ${known.map((name) => `--${name}`).join(", ")}`);
}
