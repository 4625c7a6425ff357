/** Month-end close for thousands of customers while the world goes on: straight through, and by errand, under the same troubles. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Children } from "../stage/children.ts";
import { openDatabase } from "../stage/database.ts";
import { foundBooks } from "./accounts.ts";
import type { Finding } from "./audit.ts";
import { month } from "./clock.ts";
import { customersOf } from "./customers.ts";
import { optionsFrom, usage, type Options } from "./options.ts";
import { Progress } from "./progress.ts";
import { brokenPromises } from "./promises.ts";
import { Run, type Outcome, type Stage } from "./run.ts";
import { tableOf } from "./table.ts";
import { ByErrand, StraightThrough } from "./ways.ts";
import { wrongLabels } from "./wrongs.ts";

process.exit(await main(process.argv.slice(2))); // an interrupted run has timers left

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = optionsFrom(args);
    if (options !== undefined) return await demonstrate(options);
    console.log(usage);
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 2;
  }
}

async function demonstrate(options: Options): Promise<number> {
  const stage = stageFor(options);
  const interrupted = Promise.withResolvers<number>();
  process.once("SIGINT", () => interrupted.resolve(130));
  process.once("SIGTERM", () => interrupted.resolve(143));
  try {
    introduce(stage);
    return await Promise.race([bothWays(stage), stage.children.failure, interrupted.promise]);
  } finally {
    stage.progress.clear();
    await stage.children.close();
    if (options.isKept) stage.progress.say(`Kept: ${stage.directory}`);
    else rmSync(stage.directory, { recursive: true, force: true });
  }
}

function stageFor(options: Options): Stage {
  const directory = mkdtempSync(join(tmpdir(), "errand-month-close-"));
  const template = join(directory, "before.db");
  const roster = customersOf(month, options.customers, options.seed);
  const database = openDatabase(template);
  foundBooks(database, roster);
  database.close();
  return { options, roster, directory, template, children: new Children(import.meta.dirname, directory), progress: new Progress() };
}

function introduce({ options, progress }: Stage): void {
  progress.say(
    `The close of ${month} for ${options.customers.toLocaleString("en")} customers, twice: first by one program from top to bottom, then handed to errand.\n` +
      "Meanwhile credits are given, cards removed, accounts closed and currencies changed; of the calls some fail, and a process is killed halfway.\n",
  );
}

async function bothWays(stage: Stage): Promise<number> {
  const straight = await new Run(new StraightThrough(), stage).run();
  const errand = await new Run(new ByErrand(), stage).run();
  stage.progress.clear();
  const broken = brokenPromises(errand.audit);
  if (stage.options.isJson) console.log(JSON.stringify({ options: stage.options, straight, errand, broken }, undefined, 2));
  else console.log(`${tableOf([straight, errand])}\n\n${examples(straight)}\n${verdict(broken)}`);
  return broken.length === 0 ? 0 : 1;
}

/** One of each kind. */
function examples({ audit }: Outcome<undefined>): string {
  const kinds = Map.groupBy(audit.wrong, ({ kind }) => kind);
  const lines = [...kinds.values()].flatMap(([first]) => (first === undefined ? [] : [exampleLine(first)]));
  return lines.length === 0 ? "" : `Straight through, for example:\n${lines.join("\n")}\n`;
}

function exampleLine({ kind, sentence }: Finding): string {
  return `  ${wrongLabels[kind]}\n    ${sentence}`;
}

function verdict(broken: readonly string[]): string {
  if (broken.length > 0) return `With errand this must not be: ${broken.join("; ")}.`;
  return `With errand every customer was charged what they owed at that moment, once, or not at all where nothing was to be charged; and was told so.`;
}
