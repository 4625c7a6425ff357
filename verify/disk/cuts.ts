/** One operation of the engine, recorded as the disk saw it, with the power cut at each of its writes. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Dice } from "../../test/port/dice.ts";
import { examine, look } from "./examined.ts";
import type { Examined } from "./examined.ts";
import { judge } from "./judged.ts";
import { Lives } from "./life.ts";
import type { Operation } from "./operations.ts";
import type { Bug } from "./planted.ts";
import { Disk } from "./powerCut.ts";
import { recordingOf } from "./recording.ts";
import type { Part, Seen } from "./recording.ts";
import type { Point } from "./strace.ts";
import { lastTold } from "./told.ts";

/** Of what was not synced, how much is kept: none of it first, then all, as a kill leaves it, then any of these. */
const shares = [0.5, 0.9, 0.1, 0.7, 0.3, 0.97, 0.03];
const preparedShare = 0.05;
/** Each is opened by SQLite and compared; one of so many by the engine, which stores something more there: that takes several times as long. */
const goesOnEvery = 8;
const indexBytes = 32_768;

export interface Cuts {
  readonly points: number;
  readonly images: number;
  readonly acknowledged: number;
  readonly missing: number;
  /** The first few. */
  readonly complaints: readonly string[];
}

const complaintsMax = 5;

export class Recorded implements Disposable {
  readonly #lives: Lives;
  readonly #states: readonly string[];
  readonly #seen: readonly Seen[];
  readonly #prepared: number;
  readonly #known: Map<string, Examined> = new Map();

  private constructor(lives: Lives, states: readonly string[], seen: readonly Seen[], prepared: number) {
    this.#lives = lives;
    this.#states = states;
    this.#seen = seen;
    this.#prepared = prepared;
  }

  static async of(operation: Operation, bug?: Bug): Promise<Recorded> {
    const lives = new Lives();
    const states = await lives.statesOf(operation);
    const life = await lives.withoutFaults(operation, bug === undefined ? {} : { bug }, true);
    return new Recorded(lives, states, recordingOf(life.calls, life.folder, life.file), operation.prepared.length);
  }

  /** The process is killed there, and another one does the step that was cut off once more; what neither of them synced is lost with the power. */
  static async ofTwo(operation: Operation, point: Point): Promise<Recorded> {
    const lives = new Lives();
    const states = await lives.statesOf(operation);
    const life = lives.begin();
    await life.live(operation, {}, { point, fault: "KILL", hasBytes: true });
    const { calls } = life;
    const from = lastTold(life.told, "begun");
    const { code, said } = await life.live(operation, { from }, { hasBytes: true });
    if (code !== 0) throw new Error(`"${operation.name}" ended with ${code} when it was done once more: ${said}`);
    return new Recorded(lives, states, recordingOf([...calls, ...life.calls], life.folder, life.file), from);
  }

  /** Of all syncs of its files and their folder, which are of the steps under test: 1 is the first. */
  get syncsUnderTest(): readonly number[] {
    const first = this.#seen.findIndex((seen) => seen.is === "told" && seen.told.step >= this.#prepared);
    const isSync = ({ is }: Seen): boolean => is === "synced" || is === "synced the folder";
    const before = this.#seen.slice(0, first).filter(isSync).length;
    return this.#seen
      .slice(first)
      .filter(isSync)
      .map((_, n) => before + n + 1);
  }

  /** After each event of the steps under test `perPoint` images where something is not synced, else one; of what is prepared, which others have under test, a few. */
  async cut(perPoint: number, seed: number): Promise<Cuts> {
    const dice = new Dice(seed);
    const disk = new Disk();
    const sum = { points: 0, images: 0, acknowledged: 0, missing: 0, complaints: [] as string[] };
    let done = -1;
    let latest = -1;
    for (const [n, seen] of this.#seen.entries()) {
      disk.take(seen);
      if (seen.is === "told" && seen.told.is === "done") done = seen.told.step;
      if (seen.is === "told" && seen.told.is === "begun") latest = seen.told.step;
      const isUnderTest = latest >= this.#prepared;
      if (!isUnderTest && !dice.chance(preparedShare)) continue;
      sum.points += 1;
      const images = disk.isSettled || !isUnderTest ? 1 : perPoint;
      for (let image = 0; image < images; image += 1) {
        const share = image < 2 && isUnderTest ? image : dice.pick(shares);
        const found = await this.#examine(disk.cut(share, dice), dice);
        const { acknowledged, missing, complaint } = judge(this.#states, { done, latest, ...found });
        sum.images += 1;
        sum.acknowledged += acknowledged;
        sum.missing += missing;
        if (complaint !== "" && sum.complaints.length < complaintsMax) sum.complaints.push(`cut after event ${n} (${seen.is}), ${share} kept: ${complaint}`);
      }
    }
    return sum;
  }

  [Symbol.dispose](): void {
    this.#lives[Symbol.dispose]();
  }

  async #examine(image: ReadonlyMap<Part, Buffer>, dice: Dice): Promise<Examined> {
    const folder = path.join(this.#lives.folder, "image");
    const file = path.join(folder, "work.db");
    mkdirSync(folder);
    for (const [part, bytes] of image) writeFileSync(`${file}${part}`, bytes);
    // Nobody syncs the log's index: what is left of it is worth nothing.
    if (dice.chance(0.3)) writeFileSync(`${file}-shm`, Buffer.alloc(indexBytes, dice.below(256)));
    const found = dice.below(goesOnEvery) === 0 ? await examine(file) : look(file, this.#known);
    rmSync(folder, { recursive: true });
    return found;
  }
}
