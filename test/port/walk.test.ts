/** Random lives: each engine obeys the table of states and brings every job to an end; and each does what the memory engine does. */
import { after, describe, it } from "node:test";
import { tally } from "../../verify/tally.ts";
import { engines, overHomes } from "./engines.ts";
import type { EngineUnderTest } from "./engines.ts";
import { Stage } from "./stage.ts";
import { StillRuntime } from "./stillRuntime.ts";
import { TransitionWatch } from "./transitionWatch.ts";
import { Walk } from "./walk.ts";

const stepsPerLife = 250;
const lives = Number(process.env["ERRAND_LIVES"] ?? 10);
/** Each step asks every home. */
const livesOverHomes = Math.ceil(lives / 20);
const firstSeed = Number(process.env["ERRAND_SEED"] ?? 1);
const [reference] = engines;
/** To their end. */
const lived = new Map<EngineUnderTest | undefined, number>();

for (const engine of engines) {
  describe(engine.name, { skip: engine.missing ?? false }, () => {
    after(() => tell(engine, lives));
    for (let seed = firstSeed; seed < firstSeed + lives; seed += 1) {
      it(`life ${seed}: every step is in the table of states, and in the end no job is left`, () =>
        live(engine === reference ? [engine] : [reference, engine], seed));
    }
  });
}

describe(overHomes.name, { skip: overHomes.missing ?? false }, () => {
  after(() => tell(overHomes, livesOverHomes));
  for (let seed = firstSeed; seed < firstSeed + livesOverHomes; seed += 1) {
    // Which of the jobs of several homes is handed out first is not told: it lives alone.
    it(`life ${seed}: every step is in the table of states, and in the end no job is left`, () => live([overHomes], seed, true));
  }
});

function tell(engine: EngineUnderTest, asked: number): void {
  const done = lived.get(engine) ?? 0;
  if (done === 0) return;
  tally({ layer: "walk", engine: engine.name, seeds: `${firstSeed}..${firstSeed + asked - 1}`, counts: { lives: done, steps: done * stepsPerLife } });
}

async function live(under: readonly (EngineUnderTest | undefined)[], seed: number, isOfHomes = false): Promise<void> {
  const opened = await Promise.all(under.flatMap((one) => one?.fresh() ?? []));
  try {
    const stages = opened.map(({ engine }) => new Stage(engine, new TransitionWatch(isOfHomes)));
    for (const { engine } of stages) await engine.open({ runtime: new StillRuntime() });
    const walk = new Walk(stages, seed, isOfHomes);
    await walk.run(stepsPerLife);
    await walk.drain();
    lived.set(under.at(-1), (lived.get(under.at(-1)) ?? 0) + 1);
  } finally {
    for (const { engine, dispose } of opened) {
      await engine.close();
      await dispose();
    }
  }
}
