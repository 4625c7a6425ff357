/** The questions, asked of any system on PostgreSQL. */
import { commonAnswers } from "../answers.ts";
import type { Kit } from "../store.ts";
import type { System } from "../systems/system.ts";
import { committers } from "./committers.ts";
import { history } from "./history.ts";
import { latencyPooled } from "./latencyPooled.ts";
import { Meter } from "./meter.ts";
import { paced } from "./paced.ts";
import { pinned } from "./pinned.ts";
import type { PostgresSystem } from "./system.ts";

/** Large calls, and more than one on the way, are what each of them documents for bulk. */
const kit: Kit = { batch: 5_000, callsAtOnce: 2, leastPerMs: 20, meterOn: (url) => Meter.on(url) };

export function answersOf(system: PostgresSystem): System {
  return {
    name: system.name,
    settings: system.settings,
    store: "postgres",
    answers: {
      ...commonAnswers(system, kit),
      "latency-pooled": (url, jobs) => latencyPooled(system, url, jobs),
      committers: (url, jobs) => committers(system, url, jobs),
      pinned: (url, jobs, asked) => pinned(system, url, jobs, asked),
      "paced-pinned": (url, jobs, asked) => paced(system, url, jobs, asked),
      history: (url, jobs) => history(system, url, jobs),
    },
  };
}
