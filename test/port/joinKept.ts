/** How long joins and their members are kept: while their storing goes on, while something needs them, and after (G19). */
import assert from "node:assert/strict";
import { joinsKeptMs, stagedKeptMs } from "../../src/core/defaults.ts";
import type { After } from "../../src/core/engine.ts";
import { day, fillJoin, job, join, leaseMs, start } from "./stage.ts";
import type { Case, JobOptions } from "./stage.ts";

const inJ: JobOptions = { join: "J" };

function after(id: string, when: After["when"]): { readonly after: readonly After[] } {
  return { after: [{ id, when }] };
}

const given: readonly Case[] = [
  {
    claim: "a staged join to which nothing was added for an hour is removed with its members, not sooner",
    run: async (stage) => {
      await stage.enqueue(join("J", { isSealed: false }), job("a", inJ));
      stage.advance(stagedKeptMs - 1);
      await stage.enqueue(job("b", inJ));
      stage.advance(stagedKeptMs - 1);
      assert.equal((await stage.tidy()).purged, 0);
      stage.advance(1);
      const { purged } = await stage.tidy();
      assert.deepEqual([purged, await stage.states("a", "b"), await stage.joinState("J")], [3, "unknown unknown", "unknown"]);
      assert.deepEqual(await stage.counts(), {});
      await stage.enqueue(join("J", { size: 1 }), job("a", inJ));
      assert.equal(await stage.joinState("J"), "open 1 live 0 succeeded 0 failed");
    },
  },
  {
    claim: "a sealed join is never given up, and neither is one within it that is sealed",
    run: async (stage) => {
      await stage.enqueue(job("a"), join("J", after("a", "well")), job("m", inJ), join("P"), join("K", { join: "P" }), job("k", { join: "K" }));
      stage.advance(stagedKeptMs + leaseMs);
      await stage.tidy();
      assert.equal(await stage.states("m", "k"), "blocked ready");
    },
  },
  {
    claim: "adding to a join within it, also a duplicate, is adding to it",
    run: async (stage) => {
      await stage.enqueue(join("P", { isSealed: false }), join("J", { join: "P", isSealed: false }), job("a", inJ));
      stage.advance(stagedKeptMs - 1);
      await stage.enqueue(job("a", inJ));
      stage.advance(stagedKeptMs - 1);
      await stage.tidy();
      assert.equal((await stage.joinRow("P")).state, "staged");
      await stage.enqueue(join("P", { isSealed: false }));
      stage.advance(2);
      // What was added to P was not added to the one within it.
      await stage.tidy();
      assert.deepEqual([await stage.joinState("J"), await stage.joinState("P")], ["unknown", "staged 0 live 0 succeeded 1 failed"]);
      stage.advance(stagedKeptMs);
      await stage.tidy();
      assert.equal(await stage.joinState("P"), "unknown");
    },
  },
  {
    claim: "what was staged frees its unique key and its place, and those that joined it go on",
    run: async (stage) => {
      const unique = { key: "u", mode: { is: "keep" } } as const;
      await stage.enqueue(job("stands"), join("J", { isSealed: false }), job("a", { ...inJ, unique }), job("stands", inJ));
      stage.advance(stagedKeptMs);
      await stage.tidy();
      assert.deepEqual([await stage.state("stands"), (await stage.row("stands")).joins], ["ready", undefined]);
      assert.equal((await stage.enqueue(job("b", { unique })))[0]?.id, "b");
    },
  },
  {
    claim: "a join that is given up has ended badly for what comes after it or its members, and for the join around it",
    run: async (stage) => {
      await stage.enqueue(join("P"), join("J", { join: "P", isSealed: false }), job("m", inJ));
      await stage.enqueue(...["J", "m"].flatMap((id) => [job(`well ${id}`, after(id, "well")), job(`badly ${id}`, after(id, "badly"))]));
      stage.advance(stagedKeptMs);
      await stage.tidy();
      assert.equal(await stage.states("well J", "badly J", "well m", "badly m"), "cancelled ready cancelled ready");
      assert.equal(await stage.joinState("P"), "closed 0 live 0 succeeded 1 failed");
    },
  },
  {
    claim: "it is removed in bounded passes, and takes nothing more from the first of them on",
    run: async (stage) => {
      await fillJoin(stage, 250, { isSealed: false });
      stage.advance(stagedKeptMs);
      const { purged, hasMore } = await stage.tidy(100);
      assert.deepEqual([purged, hasMore], [100, true]);
      assert.equal(await stage.refused({ works: [job("late", inJ)] }), "join-closed");
      await stage.tidy(100);
      await stage.tidy(100);
      assert.deepEqual([await stage.counts(), await stage.joinState("J")], [{}, "unknown"]);
    },
  },
];

const kept: readonly Case[] = [
  {
    claim: "a member goes no sooner than its keep after its join has closed",
    run: async (stage) => {
      await stage.enqueue(join("J"), job("a", inJ), job("b", inJ), job("plain"));
      await stage.run("a");
      await stage.claim();
      await stage.settle("plain", "completed");
      stage.now = start + 3 * day;
      await stage.tidy(1_000, false);
      assert.equal(await stage.states("a", "plain"), "completed unknown");
      await stage.settle("b", "completed");
      assert.equal((await stage.joinRow("J")).state, "closed");
      stage.advance(day - 1);
      await stage.tidy();
      assert.equal(await stage.states("a", "b"), "completed completed");
      stage.advance(1);
      await stage.tidy();
      assert.equal(await stage.states("a", "b"), "unknown unknown");
    },
  },
  {
    claim: "a member of several joins is kept until the last of them has closed",
    run: async (stage) => {
      await stage.enqueue(join("J"), join("K"), job("a", inJ), job("a", { join: "K" }), job("k", { join: "K", delayMs: 3 * day }));
      await stage.run("a");
      assert.equal((await stage.joinRow("J")).state, "closed");
      stage.advance(3 * day);
      await stage.tidy();
      assert.equal(await stage.state("a"), "completed");
      await stage.run("k");
      stage.advance(day);
      await stage.tidy();
      assert.equal(await stage.states("a"), "unknown");
    },
  },
  {
    claim: "one that had ended before it joined is kept for the join too",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.run("a");
      await stage.enqueue(join("J"), job("a", inJ), job("b", { ...inJ, delayMs: 3 * day }));
      stage.advance(3 * day);
      await stage.tidy();
      assert.equal(await stage.states("a", "b"), "completed ready");
      await stage.run("b");
      stage.advance(day);
      await stage.tidy();
      assert.equal(await stage.states("a", "b"), "unknown unknown");
    },
  },
  {
    claim: "one that joined a join that was given up is kept as if it had not",
    run: async (stage) => {
      await stage.enqueue(job("a"), join("J", { isSealed: false }), job("a", inJ));
      await stage.run("a");
      stage.advance(3 * day);
      await stage.tidy();
      await stage.tidy();
      assert.deepEqual([await stage.find("a"), await stage.joinState("J")], [undefined, "unknown"]);
    },
  },
  {
    claim: "a join goes when it closed long enough ago, has no member left, and is not remembered",
    run: async (stage) => {
      const forLong = { keep: { completed: 20 * day, skipped: day, cancelled: day, dead: day } };
      await stage.enqueue(
        join("empty"),
        join("J"),
        job("a", { ...inJ, ...forLong }),
        join("remembered", { rememberMs: 9 * day }),
        join("P"),
        join("within", { join: "P" }),
      );
      await stage.run("a");
      stage.now = start + joinsKeptMs - 1;
      await stage.tidy();
      assert.equal((await stage.joinRow("empty")).state, "closed");
      stage.advance(1);
      await stage.tidy();
      const left = async (): Promise<string[]> => (await stage.allJoins()).map(({ id }) => id);
      assert.deepEqual(await left(), ["J", "remembered"]);
      stage.now = start + 9 * day;
      await stage.tidy();
      assert.deepEqual(await left(), ["J"]);
      stage.now = start + 20 * day;
      await stage.tidy();
      assert.deepEqual([await left(), await stage.find("a")], [[], undefined]);
    },
  },
  {
    claim: "what a live job comes after is kept: a job and a join",
    run: async (stage) => {
      await stage.enqueue(
        job("a"),
        join("J"),
        job("then", {
          after: [
            { id: "a", when: "well" },
            { id: "J", when: "well" },
          ],
          delayMs: 30 * day,
        }),
      );
      await stage.run("a");
      stage.now = start + 29 * day;
      await stage.tidy();
      assert.deepEqual([await stage.state("a"), (await stage.joinRow("J")).state], ["completed", "closed"]);
      stage.now = start + 30 * day;
      await stage.run("then");
      await stage.tidy();
      assert.deepEqual([await stage.find("a"), await stage.joinState("J"), await stage.state("then")], [undefined, "unknown", "completed"]);
    },
  },
  {
    claim: "one that a live job came to name after it had ended is kept too",
    run: async (stage) => {
      await stage.enqueue(job("a"), join("J"));
      await stage.run("a");
      stage.advance(day / 2);
      await stage.enqueue(
        job("then", {
          after: [
            { id: "a", when: "well" },
            { id: "J", when: "ended" },
          ],
          delayMs: 30 * day,
        }),
      );
      stage.advance(20 * day);
      await stage.tidy();
      assert.deepEqual([await stage.state("a"), (await stage.joinRow("J")).state], ["completed", "closed"]);
      await stage.cancel("then");
      await stage.tidy();
      assert.deepEqual([await stage.find("a"), await stage.joinState("J")], [undefined, "unknown"]);
    },
  },
];

export const cases: readonly Case[] = [...given, ...kept];
