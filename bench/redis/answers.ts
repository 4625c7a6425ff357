/** The questions, asked of any system on Redis. */
import { commonAnswers } from "../answers.ts";
import type { Kit } from "../store.ts";
import type { System } from "../systems/system.ts";
import { dueClaims } from "./dueClaims.ts";
import { Meter } from "./meter.ts";
import type { RedisSystem } from "./system.ts";

const kit: Kit = { batch: 1_000, callsAtOnce: 2, leastPerMs: 10, meterOn: (url) => Meter.on(url) };

export function answersOf(system: RedisSystem): System {
  return {
    name: system.name,
    settings: system.settings,
    store: "redis",
    ...(system.on && { on: system.on }),
    answers: { ...commonAnswers(system, kit), "due-claims": (url, jobs) => dueClaims(system, kit, url, jobs) },
  };
}
