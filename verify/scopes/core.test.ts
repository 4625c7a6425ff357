/**
 * Small scopes of core's own parts, exhaustively: each call that they make to the store is held until a choice lets it go on. What takes more than seconds is played by
 * `npm run verify -- scopes` alone.
 */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { coreBugs } from "./coreBugs.ts";
import { exhaustCore, firstRedOfCore, noted, told } from "./campaign.ts";
import { coreScopes, coreScopeNamed, usualCoreFaults } from "./coreScopes.ts";
import { toReplay, wideFaults } from "./replay.ts";
import { inMemory, inSqlite } from "./stores.ts";

const timeout = 60 * 60_000;
/** A bug that so many schedules do not meet is not caught. */
const schedulesMost = 3_000;
const sqlite = inSqlite();
after(() => sqlite.close());

if (toReplay === undefined) {
  for (const scope of coreScopes) {
    const usual = usualCoreFaults(scope);
    // A schedule takes ten times as long as at the port.
    const faults = wideFaults === undefined ? usual : Math.min(1, wideFaults);
    if (faults === undefined) continue;
    // An outbox is in SQLite itself.
    for (const stores of scope.name.startsWith("an outbox") ? [inMemory()] : [inMemory(), sqlite]) {
      test(`${scope.name}, in ${stores.name}: ${scope.holds}`, { timeout }, async (context) => {
        const within = stores === sqlite ? 0 : faults;
        const { schedules, steps, outcomes, isWhole, red } = await exhaustCore(stores, scope, { faults: within });
        const replay = { engine: stores.name, scope: scope.name, faults: within, choices: red?.choices ?? "" };
        assert.ok(red === undefined, told(replay, red?.complaints ?? [], red?.steps ?? []));
        assert.ok(isWhole, `${scope.name} is not small: it has more than ${schedules} schedules`);
        context.diagnostic(`${scope.name}, in ${stores.name}, up to ${within} faults: all ${schedules} schedules, ${outcomes} outcomes`);
        noted(stores.name, scope.name, { scopes: 1, schedules, steps, outcomes });
      });
    }
  }

  describe("a planted bug is caught", () => {
    for (const { scope, bug, distortion, caughtAs } of coreBugs) {
      test(`${scope}: ${bug}`, async () => {
        const red = await firstRedOfCore(inMemory(distortion), coreScopeNamed(scope), { faults: 1 }, schedulesMost);
        assert.ok(
          red?.complaints.some((complaint) => complaint.startsWith(caughtAs)),
          `not caught as ${caughtAs}: ${red?.complaints.join("; ")}`,
        );
      });
    }
    test("for each scope there is one", () => {
      const without = coreScopes.filter(({ name }) => !coreBugs.some(({ scope }) => scope === name));
      assert.deepEqual(
        without.map(({ name }) => name),
        [],
      );
    });
  });
}
