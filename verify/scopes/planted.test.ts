/** The scopes are alive: each goes red for a bug that was made for it, and tells how to see it again; and none of the schedules within its bounds is left out. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { bugs } from "./bugs.ts";
import { firstRed, exhaust, told } from "./campaign.ts";
import { Choosing, doInTime } from "./explore.ts";
import { act, ask, Play, type Actor, type Scope, type Steps } from "./play.ts";
import { nothing } from "./hand.ts";
import { portScopes, scopeNamed } from "./portScopes.ts";
import { toReplay } from "./replay.ts";
import { inMemory } from "./stores.ts";

/** A bug that so many schedules do not meet is not caught. */
const schedulesMost = 5_000;

/** As a scope that nothing can be wrong with: so many calls of each actor, which tell who made them. */
function counted(calls: readonly number[], may: Actor["may"], made: (order: string) => void): Scope {
  return {
    name: "counted",
    holds: "nothing",
    cast: () => {
      let order = "";
      function* steps(who: string, times: number): Steps {
        for (let time = 0; time < times; time++) {
          yield* may === undefined ? act("acts", () => (order += who)) : asking(() => (order += who));
        }
      }
      return {
        before: nothing(),
        actors: calls.map((times, nth) => ({ name: String(nth), steps: steps(String(nth), times), ...(may && { may }) })),
        check: () => {
          made(order);
          return [];
        },
      };
    },
  };
}

function* asking(did: () => void): Steps {
  try {
    yield* ask("readNote", "none");
    did();
  } catch {
    // Its answer was lost.
  }
}

if (toReplay === undefined) {
  describe("a space is covered wholly", () => {
    const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));

    for (const calls of [[4], [2, 2], [3, 2, 2], [4, 4, 2], [3, 3, 3]]) {
      test(`actors of ${calls.join(", ")} calls: each order of them, once`, () => {
        const orders = new Set<string>();
        const { schedules } = exhaust(
          inMemory(),
          counted(calls, undefined, (order) => orders.add(order)),
          { faults: 0 },
        );
        const all = calls.reduce((sum, one) => sum + one, 0);
        assert.equal(schedules, factorial(all) / calls.map(factorial).reduce((product, one) => product * one, 1));
        assert.equal(orders.size, schedules);
      });
    }

    test("with one answer lost: each order, and in each of them each call", () => {
      const { schedules } = exhaust(
        inMemory(),
        counted([3, 3], ["lose"], () => undefined),
        { faults: 1 },
      );
      assert.equal(schedules, 20 * (1 + 6));
    });

    test("with up to two answers lost: each order, and in each of them each two calls", () => {
      const { schedules } = exhaust(
        inMemory(),
        counted([2, 2], ["lose"], () => undefined),
        { faults: 2 },
      );
      assert.equal(schedules, 6 * (1 + 4 + 6));
    });

    test("with one that dies: each order of what is left of it", () => {
      const { schedules } = exhaust(
        inMemory(),
        counted([3, 2], ["die"], () => undefined),
        { faults: 1 },
      );
      // None dies; the first after one call, after two; the second after one.
      assert.equal(schedules, 10 + 3 + 6 + 4);
    });
  });

  describe("a planted bug is caught", () => {
    for (const { scope: name, bug, distortion, caughtAs } of bugs) {
      test(`${name}: ${bug}`, async () => {
        const red = await firstRed(inMemory(distortion), scopeNamed(name), { faults: 0 }, schedulesMost);
        assert.ok(
          red?.complaints.some((complaint) => complaint.startsWith(caughtAs)),
          `not caught as ${caughtAs}: ${red?.complaints.join("; ")}`,
        );
      });
    }

    test("for each scope there is one", () => {
      const without = portScopes.filter(({ name }) => !bugs.some(({ scope }) => scope === name));
      assert.deepEqual(
        without.map(({ name }) => name),
        [],
      );
    });
  });

  test("what went wrong is told step by step, and comes again by its choices", async () => {
    const { scope: name, distortion } = bugs.find(({ caughtAs }) => caughtAs === "G4") ?? { scope: "", distortion: () => ({}) };
    const scope = scopeNamed(name);
    const stores = inMemory(distortion);
    const red = await firstRed(stores, scope, { faults: 1 }, schedulesMost);
    assert.ok(red);
    const steps: string[] = [];
    const again = await doInTime(new Play(stores.fresh(), (line) => steps.push(line)).whole(scope, 1, Choosing.of(red.choices).choose));
    assert.deepEqual(again.complaints, red.complaints);
    const text = told({ engine: "memory", scope: name, faults: 1, choices: red.choices }, red.complaints, steps);
    assert.match(text, /canceller cancels a → cancelled/);
    assert.match(text, /SCOPES_REPLAY='\{"engine":"memory","scope":"cancel against claim","faults":1,"choices":"[0-9a-z]+"\}' npm run verify -- scopes/);
  });
}
