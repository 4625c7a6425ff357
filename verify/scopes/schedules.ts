/** Scopes about schedules: two workers tick, while somebody edits, removes or registers. */
import type * as port from "../../src/core/engine.ts";
import { Definitions } from "../../src/core/definitions.ts";
import { Planner } from "../../src/core/plan.ts";
import type { Instant } from "../../src/core/runtime.ts";
import { every, type AnySchedule } from "../../src/core/schedule/every.ts";
import { registerSchedule } from "../../src/core/schedule/register.ts";
import { Scheduler } from "../../src/core/schedule/scheduler.ts";
import { Schedules } from "../../src/core/schedule/schedules.ts";
import { ruleOf, type StoredSchedule } from "../../src/core/schedule/rule.ts";
import { task } from "../../src/index.ts";
import type { CoreScope, Stage } from "./corePlay.ts";

const run = task("t", { run: () => undefined });
const everyMs = 10_000;
const ticking = every("10s", run.with({}), { name: "ticking", missed: "run-all" }) as AnySchedule;
const otherwise = every("20s", run.with({}), { name: "ticking", missed: "run-all" }) as AnySchedule;
const note = "schedule/ticking";

/** For how long which rhythm stood, by what was written. */
interface Stretch {
  readonly from: Instant;
  until: Instant;
  readonly everyMs: number;
}

class Told {
  readonly stretches: Stretch[] = [];
  readonly slots: Instant[] = [];

  constructor(stage: Stage) {
    stage.watch.lookers.push(({ verb, args, answer, now }) => {
      if (verb !== "enqueue") return;
      for (const [nth, { works, notes = [] }] of (args[0] as readonly port.Atom[]).entries()) {
        const told = (answer as (port.Enqueued[] | Error)[])[nth];
        const written = notes.find(({ key }) => key === note);
        if (!Array.isArray(told) || written === undefined) continue;
        const slots = works.flatMap((work) => (work.kind === "job" && work.slot !== undefined ? [work.slot.at] : []));
        for (const [place, slot] of slots.entries()) {
          stage.watch.holds(told[place]?.isDuplicate === false && !this.slots.includes(slot), `G12 the slot at ${slot} was enqueued twice`);
          this.slots.push(slot);
        }
        this.#stands(written.value, now);
      }
    });
  }

  #stands(value: string | undefined, now: Instant): void {
    const last = this.stretches.at(-1);
    if (value === undefined) {
      if (last !== undefined) last.until = Math.min(last.until, now);
      return;
    }
    const { rhythm } = ruleOf(JSON.parse(value) as StoredSchedule);
    const ms = rhythm === "20s" ? 2 * everyMs : everyMs;
    if (last !== undefined && last.until === Infinity && last.everyMs === ms) return;
    if (last !== undefined) last.until = Math.min(last.until, now);
    this.stretches.push({ from: now, until: Infinity, everyMs: ms });
  }

  /** Each slot of the rhythm that stands is there, by then; and none that no rhythm had. */
  wrongs(now: Instant): string[] {
    const isOf = (slot: Instant, { from, until, everyMs: ms }: Stretch): boolean => slot > from && slot <= until && slot % ms === 0;
    const odd = this.slots.filter((slot) => !this.stretches.some((stretch) => isOf(slot, stretch)));
    const last = this.stretches.at(-1);
    const missing: Instant[] = [];
    if (last !== undefined && last.until === Infinity)
      for (let slot = (Math.floor(last.from / last.everyMs) + 1) * last.everyMs; slot <= now; slot += last.everyMs)
        if (!this.slots.includes(slot)) missing.push(slot);
    return [
      ...odd.map((slot) => `G12 a slot at ${slot} that no rhythm had was enqueued`),
      ...missing.map((slot) => `G12 the slot at ${slot} was not enqueued`),
    ];
  }
}

function scopeOf(
  name: string,
  holds: string,
  act: (parts: { readonly schedules: Schedules; readonly register: (schedule: AnySchedule) => Promise<void> }) => Promise<unknown>,
): CoreScope {
  return {
    name: `schedule ticks against ${name}`,
    holds,
    stage: async (stage) => {
      const told = new Told(stage);
      const definitions = new Definitions([{ run, ticking: ticking as never }]);
      const parts = (who: string): { readonly engine: port.Engine; readonly runtime: ReturnType<Stage["runtime"]> } => ({
        engine: stage.engine(who),
        runtime: stage.runtime(who),
      });
      const schedulers = ["one", "two"].map((who) => new Scheduler({ ...parts(who), log: stage.runtime(who).log }, () => undefined));
      const editor = parts("editor");
      const planner = new Planner(definitions, editor.runtime);
      await registerSchedule(editor, planner, ticking);
      await stage.clock.pass(everyMs + 1);
      const acting = {
        schedules: new Schedules({ ...editor, definitions, planner, open: () => Promise.resolve() }),
        register: (schedule: AnySchedule) => registerSchedule(editor, planner, schedule),
      };
      return {
        begin: () => {
          for (const scheduler of schedulers) scheduler.wake();
          act(acting).catch(() => undefined);
        },
        times: [everyMs],
        may: { one: ["lose", "die"], two: ["lose", "die"], editor: ["lose", "die"] },
        check: async () => {
          const last = new Scheduler({ ...parts("the last"), log: stage.runtime("the last").log }, () => undefined);
          last.wake();
          await stage.clock.pass(2 * everyMs);
          await last.stop();
          const wrongs = told.wrongs(stage.clock.now);
          stage.heard.push(told.slots.map((slot) => slot % 100_000).join(" "));
          for (const scheduler of schedulers) void scheduler.stop();
          return wrongs;
        },
      };
    },
  };
}

export const all: readonly CoreScope[] = [
  scopeOf("nothing else", "two workers enqueue each slot once", () => Promise.resolve()),
  scopeOf("an edit", "each slot of the rhythm that stands is enqueued once, none of one that stands no more", ({ schedules }) =>
    schedules.handle("ticking").edit({ rhythm: "20s" }),
  ),
  scopeOf("its removal", "no slot comes after the removal, none twice before", ({ schedules }) => schedules.handle("ticking").remove()),
  scopeOf("a new definition", "who registers it anew moves no slot twice and drops none", ({ register }) => register(otherwise)),
];
