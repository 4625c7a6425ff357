/** The main demonstration: a shop whose endpoint does everything itself, and the same shop with errand, under the same troubles. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Children } from "../stage/children.ts";
import { engines } from "./engines.ts";
import { brokenPromises, type Figures, type Kind } from "./figures.ts";
import { optionsFrom, usage, type Options } from "./options.ts";
import type { Order } from "./order.ts";
import { Phase, type Stage } from "./phase.ts";
import { Progress } from "./progress.ts";
import { tableOf } from "./table.ts";

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
  const directory = mkdtempSync(join(tmpdir(), "errand-shop-"));
  const orders = (JSON.parse(readFileSync(join(import.meta.dirname, "orders.json"), "utf8")) as readonly Order[]).slice(0, options.orders);
  const stage: Stage = { options, orders, directory, children: new Children(import.meta.dirname, directory), progress: new Progress(), cleanUps: [] };
  const interrupted = Promise.withResolvers<number>();
  process.once("SIGINT", () => interrupted.resolve(130));
  process.once("SIGTERM", () => interrupted.resolve(143));
  try {
    introduce(stage);
    const figures = bothPhases(stage).then((both) => report(options, both));
    return await Promise.race([figures, stage.children.failure, interrupted.promise]);
  } finally {
    stage.progress.clear();
    await stage.children.close();
    if (!options.isKept) for (const cleanUp of stage.cleanUps) await cleanUp();
    if (options.isKept) stage.progress.say(`Kept: ${directory}`);
    else rmSync(directory, { recursive: true, force: true });
  }
}

async function bothPhases(stage: Stage): Promise<readonly [Figures, Figures]> {
  const stuffed = await phase("stuffed", stage);
  const errand = await phase("errand", stage);
  stage.progress.clear();
  return [stuffed, errand];
}

async function phase(kind: Kind, stage: Stage): Promise<Figures> {
  const directory = join(stage.directory, kind);
  mkdirSync(directory, { recursive: true });
  const stores = await engines[stage.options.engine]?.(directory);
  if (stores === undefined) throw new Error(`there is no engine ${stage.options.engine}`);
  stage.cleanUps.push(() => stores.remove());
  return new Phase(kind, stage, stores).run();
}

function introduce({ options, progress }: Stage): void {
  progress.say(
    `${options.orders.toLocaleString("en")} orders, ${options.rate} a second, twice: first the endpoint does all ten effects itself, then it hands them to errand (${options.engine}).\n` +
      "Every call fails 0.5 % of the time, mail is down for a while, and in the second phase one of two workers is killed.\n",
  );
}

function report(options: Options, [stuffed, errand]: readonly [Figures, Figures]): number {
  const broken = brokenPromises(errand);
  if (options.isJson) console.log(JSON.stringify({ options, stuffed, errand, broken }, undefined, 2));
  else console.log(`${tableOf([stuffed, errand])}\n\n${verdict(errand, broken)}`);
  return broken.length === 0 ? 0 : 1;
}

function verdict(errand: Figures, broken: readonly string[]): string {
  if (broken.length > 0) return `With errand this must not be: ${broken.join("; ")}.`;
  const kept = "With errand every accepted order got all ten effects, in the order of its account.";
  if (errand.attemptedTwice === 0) return kept;
  return `${kept}\nThe ${errand.attemptedTwice} attempted twice had run in the killed worker, which died before it could store that: they ran again, and the idempotency key told the third party.`;
}
