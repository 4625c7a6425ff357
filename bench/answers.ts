/** The questions that are asked on every store, of any of its systems. */
import { backlogCost } from "./backlog.ts";
import { drain, enqueue } from "./drain.ts";
import { due } from "./due.ts";
import { fill } from "./fill.ts";
import { idle } from "./idle.ts";
import { inFlight } from "./inFlight.ts";
import { kept } from "./kept.ts";
import { killed } from "./killed.ts";
import { latency, latencyAcross } from "./latency.ts";
import { openLoop } from "./openLoop.ts";
import type { Kit } from "./store.ts";
import { stored } from "./stored.ts";
import { callers, type System } from "./systems/system.ts";
import type { How, WorkingSystem } from "./working.ts";

const noop: How = { hands: 100, for: "throughput", waitMs: 0 };
const waiting1ms: How = { ...noop, waitMs: 1 };

export function commonAnswers(system: WorkingSystem, kit: Kit): System["answers"] {
  return {
    bulk: (url, jobs) => enqueue(system, kit, url, jobs, (producer) => fill(jobs, kit.batch, kit.callsAtOnce, (ids) => producer.enqueue(ids))),
    awaiting64: (url, jobs) =>
      enqueue(system, kit, url, jobs, (producer) => {
        let id = 0;
        return callers(jobs, () => producer.enqueueOne(id++));
      }),
    single: (url, jobs) =>
      enqueue(system, kit, url, jobs, async (producer) => {
        for (let id = 0; id < jobs; id++) await producer.enqueueOne(id);
      }),
    drain: (url, jobs) => drain(system, kit, url, jobs, noop, 1),
    "drain-2": (url, jobs) => drain(system, kit, url, jobs, noop, 2),
    "drain-4": (url, jobs) => drain(system, kit, url, jobs, noop, 4),
    "drain-1ms": (url, jobs) => drain(system, kit, url, jobs, waiting1ms, 1),
    ordered: (url, jobs) => drain(system, kit, url, jobs, noop, 1),
    "ordered-1ms": (url, jobs) => drain(system, kit, url, jobs, waiting1ms, 1),
    latency: (url, jobs) => latency(system, url, jobs),
    "latency-across": (url, jobs) => latencyAcross(system, url, jobs),
    trickle: (url, perSecond, { seconds }) => openLoop(system, kit, url, seconds, perSecond),
    "half-load": (url, _jobs, { seconds }) => openLoop(system, kit, url, seconds),
    backlog: (url, jobs, asked) => backlogCost(system, kit, url, jobs, asked),
    killed: (url, jobs, asked) => killed(system, kit, url, jobs, asked),
    "in-flight": (url, jobs) => inFlight(system, url, jobs),
    stored: (url, jobs) => stored(system, kit, url, jobs),
    due: (url, jobs) => due(system, kit, url, jobs),
    history: (url, jobs) => kept(system, kit, url, jobs),
    idle: (url, jobs, asked) => idle(system, kit, url, jobs, asked),
  };
}
