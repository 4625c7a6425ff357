/** The broker's verbs inside a caller's transaction: a call is one atom, stored whole or not at all, so it holds at most 500 items. */
import { at } from "./at.ts";
import { answersOf, type Plan } from "./compose/plan.ts";
import type { Engine, Enqueued, NewWork } from "./engine.ts";
import { ErrandError } from "./errors.ts";
import { allOf } from "./maybe.ts";
import type { Planner } from "./plan.ts";
import type { Runtime } from "./runtime.ts";
import { accepted, listOf, type Scope, type SyncScope } from "./scope.ts";
import { flattened } from "./sender.ts";

export interface WithinParts {
  readonly engine: Engine;
  readonly runtime: Runtime;
  readonly planner: Planner;
}

export function syncScope({ engine, runtime, planner }: WithinParts, tx: unknown): SyncScope {
  const store = (works: readonly NewWork[]): Enqueued[] => {
    const stored = engine.enqueue([{ works }], { ...at(runtime), tx });
    if (stored instanceof Promise)
      throw new ErrandError("tx-unsupported", "this engine cannot store inside a synchronous transaction; use its own kind of transaction");
    return flattened(stored, () => Promise.reject(new ErrandError("tx-not-open", "the transaction is over; begin another one and call again")));
  };
  return {
    enqueue: (errands) => {
      const plan = planner.planNow(listOf(errands, "enqueue"));
      return accepted(errands, answersOf(plan, store(plan.works)));
    },
    publish: (facts) => accepted(facts, store(listOf(facts, "publish").map((fact) => planner.eventNow(fact)))),
  };
}

export function asyncScope({ engine, runtime, planner }: WithinParts, tx: unknown): Scope {
  const store = async (works: readonly NewWork[]): Promise<Enqueued[]> =>
    flattened(await engine.enqueue([{ works }], { ...at(runtime), tx }), () => store(works));
  return {
    enqueue: async (errands) => {
      const plan: Plan = await planner.plan(listOf(errands, "enqueue"));
      return accepted(errands, answersOf(plan, await store(plan.works)));
    },
    publish: async (facts) => accepted(facts, await store(await allOf(listOf(facts, "publish").map((fact) => planner.event(fact))))),
  };
}
