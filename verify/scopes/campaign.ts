/** All schedules of a scope on a store, and what they came to; and single ones again, on servers or for a reader. */
import { createHash } from "node:crypto";
import type { EngineMaker } from "../../src/conformance/index.ts";
import { tally } from "../tally.ts";
import { Choosing, doAtOnce, doInTime, type Choices } from "./explore.ts";
import { Play, type Scope, type Story } from "./play.ts";
import { Stage, type CoreScope } from "./corePlay.ts";
import type { Replay } from "./replay.ts";
import { onServer, type Stores } from "./stores.ts";

/** The size of a scope's space is in its actors and in how many faults there may be. */
export interface Bounds {
  /** Answers lost and actors that die, together. */
  readonly faults: number;
}

export interface Exhausted {
  /** All there are within the bounds. */
  readonly schedules: number;
  readonly steps: number;
  /** What schedules come to, with the first schedule that comes to it. */
  readonly outcomes: ReadonlyMap<string, Choices>;
  /** Of all that was answered, schedule by schedule. */
  readonly digest: string;
  /** The first that went wrong; those after it were not played. */
  readonly red?: Red;
}

export interface Red {
  readonly choices: Choices;
  readonly complaints: readonly string[];
}

/** A scope that has more is not small. */
const schedulesMost = 20_000_000;
/** Kept with the schedule that came to it; whatever comes later is counted all the same. */
const outcomesKept = 50_000;

export function exhaust(stores: Stores, scope: Scope, { faults }: Bounds): Exhausted {
  const outcomes = new Map<string, Choices>();
  const hash = createHash("sha256");
  let [schedules, steps] = [0, 0];
  for (let choosing: Choosing | undefined = new Choosing(); choosing !== undefined; choosing = choosing.next()) {
    if (++schedules > schedulesMost) throw new RangeError(`${scope.name} has more than ${schedulesMost} schedules`);
    const story = storyOf(() => doAtOnce(new Play(stores.fresh()).whole(scope, faults, choosing?.choose ?? (() => 0))));
    if (story.complaints.length > 0) return { schedules, steps, outcomes, digest: "", red: { choices: choosing.choices, complaints: story.complaints } };
    steps += story.steps;
    hash.update(story.signature);
    if (outcomes.size < outcomesKept && !outcomes.has(story.signature)) outcomes.set(story.signature, choosing.choices);
  }
  return { schedules, steps, outcomes, digest: hash.digest("hex") };
}

/** One schedule on a server; what goes wrong there is told as a complaint. */
export async function playedOn(maker: EngineMaker, scope: Scope, { faults }: Bounds, choices: Choices, tell?: (line: string) => void): Promise<Story> {
  const store = await onServer(maker);
  try {
    return await doInTime(new Play(store, tell).whole(scope, faults, Choosing.of(choices).choose));
  } catch (error) {
    return failed(error);
  } finally {
    await store.close();
  }
}

export function playedIn(stores: Stores, scope: Scope, { faults }: Bounds, choices: Choices, tell?: (line: string) => void): Story {
  return storyOf(() => doAtOnce(new Play(stores.fresh(), tell).whole(scope, faults, Choosing.of(choices).choose)));
}

/** The first schedule that goes wrong, in the order of all, where verbs may answer later; undefined: none of the first so many does. */
export async function firstRed(stores: Stores, scope: Scope, { faults }: Bounds, most: number): Promise<Red | undefined> {
  let choosing: Choosing | undefined = new Choosing();
  for (let nth = 0; nth < most && choosing !== undefined; nth++) {
    const { choose } = choosing;
    const { complaints } = await doInTime(new Play(stores.fresh()).whole(scope, faults, choose)).catch(failed);
    if (complaints.length > 0) return { choices: choosing.choices, complaints };
    choosing = choosing.next();
  }
  return undefined;
}

/** All schedules of a scope of core. */
export async function exhaustCore(
  stores: Stores,
  scope: CoreScope,
  { faults }: Bounds,
  most: number = schedulesMost,
): Promise<{
  readonly schedules: number;
  readonly steps: number;
  readonly outcomes: number;
  readonly isWhole: boolean;
  readonly red?: Red & { readonly steps: readonly string[] };
}> {
  const outcomes = new Set<string>();
  let [schedules, steps] = [0, 0];
  let choosing: Choosing | undefined = new Choosing();
  for (; choosing !== undefined && schedules < most; choosing = choosing.next()) {
    const story = await playedCore(stores, scope, faults, choosing);
    if (story === undefined) continue;
    schedules++;
    if (story.complaints.length > 0) {
      const lines: string[] = [];
      await playedCore(stores, scope, faults, Choosing.of(choosing.choices), (line) => lines.push(line));
      return { schedules, steps, outcomes: outcomes.size, isWhole: false, red: { choices: choosing.choices, complaints: story.complaints, steps: lines } };
    }
    steps += story.steps;
    if (outcomes.size < outcomesKept) outcomes.add(story.signature);
  }
  return { schedules, steps, outcomes: outcomes.size, isWhole: choosing === undefined };
}

export async function firstRedOfCore(stores: Stores, scope: CoreScope, bounds: Bounds, most: number): Promise<Red | undefined> {
  return (await exhaustCore(stores, scope, bounds, most)).red;
}

export async function playedCore(
  stores: Stores,
  scope: CoreScope,
  faults: number,
  choosing: Choosing,
  tell?: (line: string) => void,
): Promise<Story | undefined> {
  return new Stage(stores.fresh(), tell).play(scope, faults, choosing.choose).catch(failed);
}

/** So many of them, evenly spread over all. */
export function spread<T>(all: readonly T[], most: number): readonly T[] {
  return all.length <= most ? all : Array.from({ length: most }, (_, nth) => all[Math.floor((nth * all.length) / most)] as T);
}

/** For a person: what went wrong, how it came to that, and how to see it again. */
export function told(replay: Replay, complaints: readonly string[], steps: readonly string[]): string {
  return `${replay.scope} on ${replay.engine}: ${complaints.join("; ")}\n\n${steps.join("\n")}\n\nSCOPES_REPLAY='${JSON.stringify(replay)}' npm run verify -- scopes`;
}

export function noted(engine: string, scope: string, counts: Readonly<Record<string, number>>): void {
  tally({ layer: "scopes", engine, seeds: scope, counts });
}

function storyOf(play: () => Story): Story {
  try {
    return play();
  } catch (error) {
    return failed(error);
  }
}

function failed(error: unknown): Story {
  return { complaints: [error instanceof Error ? (error.stack ?? error.message) : String(error)], signature: "", steps: 0 };
}
