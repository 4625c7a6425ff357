/**
 * Small scopes at the port, exhaustively: all interleavings of a few actors, with answers lost and actors that die, each from a fresh store. In memory wholly; in SQLite wholly
 * where that takes seconds, with the very same answers, else a schedule of each of many outcomes; on servers, of some outcomes. `npm run verify -- scopes` plays all of them with two faults.
 * SCOPES_REPLAY='…' (as a failure prints it) plays one schedule, and tells all its steps.
 */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { EngineMaker } from "../../src/conformance/index.ts";
import { onPostgres, onRedis } from "../../test/conformance/engines.ts";
import { emptyStore } from "../../test/postgres/emptying.ts";
import { emptyBy } from "../../test/postgres/places.ts";
import { redisMissing } from "../../test/redis/server.ts";
import { exhaust, noted, playedIn, playedOn, spread, told, type Exhausted } from "./campaign.ts";
import { portScopes, usualFaults } from "./portScopes.ts";
import type { Scope } from "./play.ts";
import { toReplay, wideFaults } from "./replay.ts";
import { inMemory, inSqlite, type Stores } from "./stores.ts";

const memory = inMemory();
const sqlite = inSqlite();
after(() => sqlite.close());
/** In SQLite a schedule takes milliseconds. */
const inSqliteMost = wideFaults === undefined ? 1_000 : 20_000;
const outcomesMost = 50;
const onServersMost = wideFaults === undefined ? 2 : 40;
emptyBy(emptyStore);
const servers = [onPostgres, ...(redisMissing === undefined ? [onRedis] : [])];
/** Without faults, in memory. */
const spaces = new Map<Scope, Exhausted>();
const timeout = 60 * 60_000;

if (toReplay === undefined) {
  for (const scope of portScopes) {
    describe(`${scope.name}: ${scope.holds}`, () => {
      test("in memory", { timeout }, (context) => {
        const faults = wideFaults ?? usualFaults(scope);
        const all = wholly(memory, scope, faults);
        if (faults === 0) spaces.set(scope, all);
        const { schedules, steps, outcomes } = all;
        context.diagnostic(`${scope.name}, in memory, up to ${faults} faults: all ${schedules} schedules, ${outcomes.size} outcomes`);
        noted("memory", scope.name, { scopes: 1, schedules, steps, outcomes: outcomes.size });
      });
      test("in SQLite, with the same answers", { timeout }, (context) => context.diagnostic(inSqliteAsWell(scope)));
      for (const maker of servers) test(`on ${maker.name}, with the same answers`, { timeout }, () => onServerAsWell(maker, scope));
    });
  }
}

/** Wholly without faults within what may be had, else those that come to something else than others do. */
function inSqliteAsWell(scope: Scope): string {
  const all = withoutFaults(scope);
  if (all.schedules <= inSqliteMost) {
    const { schedules, steps, digest } = wholly(sqlite, scope, 0);
    assert.deepEqual([schedules, digest], [all.schedules, all.digest], "SQLite answers otherwise than memory");
    noted("sqlite", scope.name, { scopes: 1, schedules, steps });
    return `${scope.name}, in SQLite, without faults: all ${schedules} schedules`;
  }
  const some = spread([...all.outcomes], outcomesMost);
  for (const [signature, choices] of some) {
    const { complaints, signature: own } = playedIn(sqlite, scope, { faults: 0 }, choices);
    const wrong = own === signature ? complaints : [...complaints, "SQLite answers otherwise than memory"];
    assert.ok(wrong.length === 0, storyOf(sqlite, scope, 0, { choices, complaints: wrong }));
  }
  noted("sqlite", scope.name, { schedules: some.length });
  return `${scope.name}, in SQLite: a schedule of each of ${some.length} outcomes, of ${all.outcomes.size}`;
}

/** Those of different outcomes; what comes to each is told by the memory. */
async function onServerAsWell(maker: EngineMaker, scope: Scope): Promise<void> {
  const some = spread([...withoutFaults(scope).outcomes], onServersMost);
  for (const [signature, choices] of some) {
    const steps: string[] = [];
    const { complaints, signature: own } = await playedOn(maker, scope, { faults: 0 }, choices, (line) => steps.push(line));
    const wrong = own === signature ? complaints : [...complaints, `${maker.name} answers ${own}, memory ${signature}`];
    assert.ok(wrong.length === 0, told({ engine: maker.name, scope: scope.name, faults: 0, choices }, wrong, steps));
  }
  noted(maker.name, scope.name, { schedules: some.length });
}

function withoutFaults(scope: Scope): Exhausted {
  const known = spaces.get(scope) ?? wholly(memory, scope, 0);
  spaces.set(scope, known);
  return known;
}

function wholly(stores: Stores, scope: Scope, faults: number): Exhausted {
  const all = exhaust(stores, scope, { faults });
  if (all.red !== undefined) assert.fail(storyOf(stores, scope, faults, all.red));
  return all;
}

function storyOf(stores: Stores, scope: Scope, faults: number, red: NonNullable<Exhausted["red"]>): string {
  const steps: string[] = [];
  playedIn(stores, scope, { faults }, red.choices, (line) => steps.push(line));
  return told({ engine: stores.name, scope: scope.name, faults, choices: red.choices }, red.complaints, steps);
}
