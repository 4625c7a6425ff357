/**
 * Claims, endings, crashes, edits of numbers, a new era; and mail that lies about, is carried in part, or is taken twice: at no moment there is more than a limit lets, and
 * in the end all is done.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { outScript, takeScript } from "../../../src/redis/mail.ts";
import { Dice } from "../../port/dice.ts";
import { leaseMs } from "../../port/stage.ts";
import { redisMissing } from "../server.ts";
import { Borrowers, count } from "./borrowers.ts";

const walks = Number(process.env["ERRAND_LIVES"] ?? 3);
const first = Number(process.env["ERRAND_SEED"] ?? 1);
const steps = 200;
const everyMs = 1_000;
const terms = {
  limited: { gates: ["g"] },
  paced: { gates: ["s"] },
  small: { needs: { gpu: 1 } },
  big: { needs: { gpu: 4 } },
  all: { gates: ["s", "g"], needs: { gpu: 2, cpu: 1 } },
} as const;
const tasks = Object.keys(terms) as readonly (keyof typeof terms)[];
const starts = 3;

class Walk {
  readonly scene: Borrowers;
  readonly #dice: Dice;
  readonly #numbers: Map<string, number> = new Map([
    ["g", 3],
    ["gpu", 6],
    ["cpu", 2],
  ]);
  /** What was in use when it was last looked at, where that was more than there is. */
  readonly #most: Map<string, number> = new Map();
  /** Who runs what of each home: another one after each crash. */
  readonly #processes: number[] = Array.from({ length: count }, () => 0);
  #era = 1;
  #stored = 0;

  constructor(scene: Borrowers, dice: Dice) {
    this.scene = scene;
    this.#dice = dice;
  }

  async begin(): Promise<void> {
    await this.scene.limit("s", { starts, everyMs });
    for (const name of this.#numbers.keys()) await this.#write(name);
    await this.scene.carry();
  }

  async step(): Promise<void> {
    const kinds = [
      "put",
      "claim",
      "claim",
      "claim",
      "claim",
      "end",
      "end",
      "carry",
      "carry",
      "carry",
      "carry",
      "tidy",
      "wait",
      "wait",
      "crash",
      "edit",
      "bear",
    ] as const;
    const kind = this.#dice.pick(kinds);
    if (kind === "put") await this.#put();
    else if (kind === "claim") await this.#claim(this.#home);
    else if (kind === "end") await this.scene.end(...this.#dice.some([...this.scene.running.keys()], 0.4));
    else if (kind === "carry") await this.#carrySome();
    else if (kind === "tidy") await this.scene.tidy(this.#home);
    else if (kind === "wait") this.scene.now += 1 + this.#dice.below(400);
    else if (kind === "crash") await this.#crash();
    else if (kind === "edit" && this.#dice.chance(0.4)) await this.#edit();
    else if (kind === "bear" && this.#dice.chance(0.1)) await this.#bear();
    this.#check(kind);
  }

  /** Nothing more happens but what always does: all is done in bounded time. */
  async finish(): Promise<void> {
    for (let turn = 0; this.scene.ended < this.#stored; turn += 1) {
      assert.ok(turn < 40 + this.#stored, `${this.#stored - this.scene.ended} of ${this.#stored} are left`);
      for (let home = 0; home < count; home += 1) {
        await this.#claim(home);
        await this.scene.carry();
        await this.#claim(home);
        await this.#claim(home, "only");
        await this.scene.carry();
        await this.#claim(home, "only");
        this.#check("the end");
      }
      this.scene.now += 350;
      await this.scene.end(...this.scene.running.keys());
      await this.scene.tidyAll();
    }
    assert.equal(await this.scene.lying(), 0);
  }

  get #home(): number {
    return this.#dice.below(count);
  }

  async #claim(home: number, alone: "no" | "only" = "no"): Promise<void> {
    await this.scene.claimOnce(home, 1 + this.#dice.below(5), { process: `p${home}.${this.#processes[home]}`, alone });
  }

  async #put(): Promise<void> {
    const task = this.#dice.pick(tasks);
    const ids = Array.from({ length: 1 + this.#dice.below(4) }, () => `${task}${(this.#stored += 1)}`);
    await this.scene.put(this.#home, task, ...ids);
  }

  async #write(name: string): Promise<void> {
    const number = this.#numbers.get(name) ?? 0;
    await (name === "g" ? this.scene.limit(name, { running: number }) : this.scene.resource(name, number));
  }

  /** It is said to hold when all was carried. */
  async #edit(): Promise<void> {
    const name = this.#dice.pick([...this.#numbers.keys()]);
    this.#numbers.set(name, name === "gpu" ? 4 + this.#dice.below(4) : 1 + this.#dice.below(3));
    await this.#write(name);
    await this.scene.carry();
    this.#most.set(name, this.scene.used(name));
  }

  /** Home after home; meanwhile others go on. */
  async #bear(): Promise<void> {
    this.#era += 1;
    for (let home = 0; home < count; home += 1) {
      await this.scene.bear(home, this.#era);
      await this.#claim(this.#home);
    }
    await this.scene.carry();
  }

  /** What it ran is taken back when its lease is over. */
  async #crash(): Promise<void> {
    const home = this.#home;
    this.scene.now += leaseMs + 1;
    await this.scene.tidyAll();
    this.scene.running.clear();
    for (const other of this.#processes.keys()) this.#processes[other] = (this.#processes[other] ?? 0) + 1;
    await this.#claim(home);
  }

  /** Of one pair, all or a part, once or twice; and perhaps the carrier is gone before that is dropped where it lay. */
  async #carrySome(): Promise<void> {
    const from = this.#home;
    const to = (from + 1 + this.#dice.below(count - 1)) % count;
    const [sender, receiver] = [this.scene.homes.verbs[from], this.scene.homes.verbs[to]];
    assert.ok(sender && receiver);
    const [text, , texts] = (await sender.call(outScript, "run", { to }, this.scene.at)) as [string, number, string[]];
    if (texts.length === 0) return;
    const { number, first } = JSON.parse(text) as { number: number; first: number };
    const some = texts.slice(0, 1 + this.#dice.below(texts.length));
    const take = async (): Promise<number> => {
      const [answer] = await receiver.call(takeScript, "write", { from, number, first }, this.scene.at, some);
      return (JSON.parse(answer as string) as { taken: number }).taken;
    };
    if (this.#dice.chance(0.3)) await take();
    const upTo = await take();
    if (this.#dice.chance(0.7)) await sender.call(outScript, "run", { to, number, upTo, isLast: true }, this.scene.at);
  }

  /** Never more than there is; where a number was lowered, what is in use becomes less until it is as low. */
  #check(step: string): void {
    for (const [name, number] of this.#numbers) {
      const used = this.scene.used(name);
      assert.ok(used <= Math.max(number, this.#most.get(name) ?? 0), `${used} of ${name}, of which there are ${number}, after ${step}`);
      this.#most.set(name, used);
    }
    assert.ok(this.scene.startsWithin("s", everyMs) <= starts, `starts after ${step}`);
  }
}

describe("limits and resources over three homes, at random", { skip: redisMissing ?? false }, () => {
  for (let seed = first; seed < first + walks; seed += 1) {
    it(`hold at every moment, and let all be done (ERRAND_SEED=${seed})`, async () => {
      await using scene = await Borrowers.of(terms);
      const walk = new Walk(scene, new Dice(seed));
      await walk.begin();
      for (let step = 0; step < steps; step += 1) await walk.step();
      await walk.finish();
    });
  }
});
