/**
 * The engine and its server, with the connection broken at each message of each verb's exchange: what the caller is told is true, the engine goes on, and the same call again
 * is done once. A usual run draws some for each verb; `npm run verify -- wire` does them all.
 */
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { Dice } from "../../test/port/dice.ts";
import { tally } from "../tally.ts";
import { bugs } from "./bugs.ts";
import { judge } from "./judged.ts";
import type { Complaint, Wrong } from "./judged.ts";
import { scenes } from "./scenes.ts";
import type { Scene } from "./scenes.ts";
import type { ServerUnderTest } from "./servers.ts";
import { see, trialsOf, withoutFaults } from "./trial.ts";
import type { Around, Trial } from "./trial.ts";

const seed = Number(process.env["ERRAND_SEED"] ?? 1);
/** How many for each verb, or all. */
const asked = process.env["WIRE"];
const isWhole = asked === "all";
const timeout = asked === undefined ? 120_000 : 30 * 60_000;
/** Without a version, it is written anew. */
const notTheSameAgain = ["writes a note"];

export function onTheWire(server: ServerUnderTest, { drawn }: { readonly drawn: number }): void {
  const { name, which = name, missing } = server;
  if (missing !== undefined) console.error(`\n!!! ${which.toUpperCase()}: MESSAGES THAT ARE LOST WERE NOT TESTED: ${missing}\n`);
  const options = { skip: missing === undefined ? false : `not tested: ${missing}`, timeout };
  const total = new Sum();
  after(async () => {
    if (total.hasAny) tally({ layer: "wire", engine: name, seeds: isWhole ? "all" : String(seed), counts: total.counts });
    await server.close();
  });

  describe(`messages lost on the way to ${which}`, options, () => {
    for (const [nth, scene] of scenes.entries()) {
      it(`who ${scene.name} is told the truth, and the same call again is done once`, options, async (context) => {
        const { clean, trials } = await played(server, scene);
        if (!notTheSameAgain.includes(scene.name)) assert.equal(clean.afterAgain, clean.after, "the same call again changes something");
        const sum = new Sum();
        for (const trial of isWhole ? trials : draw(trials, asked === undefined ? drawn : Number(asked), seed * 1_000 + nth)) {
          const seen = await see(server, scene, trial, clean.turns);
          const complaint = judge(clean, seen);
          for (const one of [sum, total]) one.add(trial, seen.told.is, complaint);
        }
        context.diagnostic(`of ${trials.length} points: ${JSON.stringify(sum.counts)}`);
        assert.deepEqual(sum.complaints, []);
      });
    }
  });

  describe(`planted bugs, on the way to ${which}`, options, () => {
    for (const { name: bug, scene: where, fault, around, is } of bugs) {
      it(`an engine that ${bug} is caught`, options, async () => {
        const scene = scenes.find((one) => one.name === where);
        assert.ok(scene);
        assert.equal(await firstComplaint(server, scene, fault, around), is);
      });
    }
  });
}

async function played(server: ServerUnderTest, scene: Scene) {
  if (server.learns === true) await withoutFaults(server, scene);
  const clean = await withoutFaults(server, scene);
  return { clean, trials: trialsOf(clean.turns) };
}

async function firstComplaint(server: ServerUnderTest, scene: Scene, fault: Trial["fault"], around: Around): Promise<Wrong | undefined> {
  const { clean, trials } = await played(server, scene);
  for (const trial of trials.filter((one) => one.fault === fault)) {
    const complaint = judge(clean, await see(server, scene, trial, clean.turns, around));
    if (complaint !== undefined) return complaint.is;
  }
  return undefined;
}

function draw(trials: readonly Trial[], most: number, from: number): readonly Trial[] {
  const dice = new Dice(from);
  const places = new Set<number>();
  while (places.size < Math.min(most, trials.length)) places.add(dice.below(trials.length));
  return trials.filter((_, place) => places.has(place));
}

class Sum {
  readonly complaints: string[] = [];
  readonly #counts: Record<string, number> = { points: 0, acknowledged: 0, definite: 0, indefinite: 0 };
  readonly #wrong: Record<Wrong, number> = { falseAcknowledgements: 0, falselyDefinite: 0, halfStored: 0, notGoingOn: 0, twice: 0, wrongAnswers: 0 };

  get hasAny(): boolean {
    return this.#counts["points"] !== 0;
  }

  get counts(): Readonly<Record<string, number>> {
    return { ...this.#counts, ...this.#wrong };
  }

  add(trial: Trial, told: string, complaint: Complaint | undefined): void {
    const is = told === "answered" ? "acknowledged" : told;
    for (const name of ["points", is]) this.#counts[name] = (this.#counts[name] ?? 0) + 1;
    if (complaint === undefined) return;
    this.#wrong[complaint.is] += 1;
    this.complaints.push(`${said(trial)}: ${complaint.is}: ${complaint.said}`);
  }
}

function said(trial: Trial): string {
  if (trial.fault === "gone") return `gone, and others are cut ${trial.then}`;
  const { turn, side, frame, part } = trial.at;
  return `${trial.fault} ${part === "middle" ? "in the middle of" : part} message ${frame + 1} of the ${side}'s in exchange ${turn + 1}`;
}
