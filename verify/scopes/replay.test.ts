/** One schedule that was asked for, with all its steps. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { onPostgres, onRedis } from "../../test/conformance/engines.ts";
import { playedCore, playedIn, playedOn } from "./campaign.ts";
import { coreScopes } from "./coreScopes.ts";
import { Choosing } from "./explore.ts";
import { scopeNamed } from "./portScopes.ts";
import { toReplay } from "./replay.ts";
import { inMemory, inSqlite } from "./stores.ts";

if (toReplay !== undefined) {
  const { engine, scope: name, faults, choices } = toReplay;
  test(`the schedule of ${name} that was asked for`, async () => {
    const tell = (line: string): void => console.log(line);
    const ofCore = coreScopes.find((each) => each.name === name);
    if (ofCore !== undefined) {
      const told = await playedCore(engine === "sqlite" ? inSqlite() : inMemory(), ofCore, faults, Choosing.of(choices), tell);
      return assert.deepEqual(told?.complaints, []);
    }
    const scope = scopeNamed(name);
    const server = [onPostgres, onRedis].find((maker) => maker.name === engine);
    const stores = engine === "sqlite" ? inSqlite() : inMemory();
    const story = server === undefined ? playedIn(stores, scope, { faults }, choices, tell) : await playedOn(server, scope, { faults }, choices, tell);
    stores.close();
    assert.deepEqual(story.complaints, []);
  });
}
