/** The questions, asked of any system on SQLite. */
import { commonAnswers } from "../answers.ts";
import type { Kit } from "../store.ts";
import type { System } from "../systems/system.ts";
import type { WorkingSystem } from "../working.ts";
import { Meter } from "./meter.ts";

/** One writer at a time: a second call on the way waits for the first. */
const kit: Kit = { batch: 1_000, callsAtOnce: 1, leastPerMs: 20, meterOn: (file) => Promise.resolve(new Meter(file)) };

export function answersOf(system: WorkingSystem): System {
  return { name: system.name, settings: system.settings, store: "sqlite", answers: commonAnswers(system, kit) };
}
