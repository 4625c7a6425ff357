/** A job that kills its process is found, alone, and nobody beside it pays. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { brief, hungry } from "./definitions.ts";
import { Fleet } from "./fleet.ts";

test("a handler that runs its process out of memory beside 50 innocents is quarantined after at most 3 deaths; every innocent completes", async (context) => {
  await using fleet = new Fleet();
  const innocents = 50;
  const { id } = await fleet.work.enqueue(hungry.with({ n: 1_000 }));
  await fleet.work.enqueue(Array.from({ length: innocents }, (_, n) => brief.with({ n, ms: 1_500 })));
  let deaths = 0;
  let isOver = false;
  const supervised = (async () => {
    while (!isOver) {
      const worker = await fleet.worker({ hands: 60, isolate: true, execArgv: ["--max-old-space-size=64"] });
      await new Promise((resolve) => worker.once("exit", resolve));
      if (!isOver) deaths++;
    }
  })();
  await fleet.until(
    "quarantined and completed",
    async () => {
      const counts = await fleet.work.count();
      return counts.dead === 1 && counts.completed === innocents;
    },
    300,
  );
  isOver = true;
  const culprit = await fleet.work.find(id);
  assert.equal(culprit?.isPoison, true);
  const started = fleet.lines().filter((line) => line.task === "hungry" && line.is === "start").length;
  context.diagnostic(`starts of the killer ${started}, worker processes lost ${deaths}, innocents completed ${innocents} of ${innocents}`);
  assert.ok(started <= 3, `it was started ${started} times`);
  assert.ok(deaths <= 2, `${deaths} workers died`);
  await fleet[Symbol.asyncDispose]();
  await supervised.catch(() => undefined); // its last worker was ended by the line above
});
