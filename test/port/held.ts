/** An engine is held to the laws of the Engine port. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { transitions } from "../../src/core/states.ts";
import type { EngineUnderTest } from "./engines.ts";
import { onFreshStage, tables } from "./tables.ts";
import { TransitionWatch } from "./transitionWatch.ts";

export function holdToPort(engine: EngineUnderTest): void {
  describe(engine.name, { skip: engine.missing ?? false }, () => {
    const watch = new TransitionWatch();
    for (const [table, cases] of Object.entries(tables)) {
      describe(table, () => {
        for (const { claim, run } of cases) it(claim, () => onFreshStage(engine, watch, run));
      });
    }
    it("every row of the table of states was seen", () => {
      const seen = new Set([...watch.seen].map((step) => step.split(" ").slice(0, 2).join(" ")));
      const unseen = transitions.map(({ from, to }) => `${from} ${to}`).filter((row) => !seen.has(row));
      assert.deepEqual(unseen, []);
    });
    it("the reference takes every step by every verb that may take it", { skip: engine.name !== "memory" && "the table says may" }, () => {
      const steps = transitions.flatMap(({ from, to, by }) => by.map((verb) => `${from} ${to} ${verb}`));
      assert.deepEqual(
        steps.filter((step) => !watch.seen.has(step)),
        [],
      );
    });
  });
}
