/** tidy: due work, late work, retention; each reason bounded by `items`. */
import assert from "node:assert/strict";
import { eventsKeptMs } from "../../src/core/defaults.ts";
import type { EndedState } from "../../src/core/states.ts";
import { day, event, job, keep, member, start } from "./stage.ts";
import type { Case, Stage } from "./stage.ts";

const endings: Readonly<Record<EndedState, (stage: Stage) => Promise<unknown>>> = {
  completed: (stage) => stage.run("a"),
  skipped: (stage) => stage.run("a", "skipped", { reason: "no need" }),
  cancelled: (stage) => stage.cancel("a"),
  dead: (stage) => stage.die("a"),
};

export const cases: readonly Case[] = [
  {
    claim: "a pass with nothing to do says so",
    run: async (stage) => {
      assert.deepEqual(await stage.tidy(), {
        now: start,
        promoted: 0,
        skipped: 0,
        takenBack: 0,
        quarantined: 0,
        parked: 0,
        admitted: 0,
        released: 0,
        closed: 0,
        dropped: 0,
        replayed: 0,
        purged: 0,
        hasMore: false,
      });
    },
  },
  {
    claim: "what is due becomes ready, the first due first, at most `items` a pass",
    run: async (stage) => {
      await stage.enqueue(...["a", "b", "c"].map((id, index) => job(id, { delayMs: 30 - 10 * index })));
      stage.advance(29);
      const first = await stage.tidy(1);
      assert.deepEqual([first.promoted, first.hasMore, await stage.states("a", "b", "c")], [1, true, "scheduled scheduled ready"]);
      assert.deepEqual([(await stage.tidy()).promoted, await stage.states("a", "b", "c")], [1, "scheduled ready ready"]);
      stage.advance(1);
      assert.equal((await stage.tidy()).promoted, 1);
    },
  },
  {
    claim: "jobs that were not started in time are skipped, ready and scheduled ones, at most `items` a pass",
    run: async (stage) => {
      await stage.enqueue(job("a", { startWithinMs: 10 }), job("b", { delayMs: 1_000, startWithinMs: 11 }), job("c", { startWithinMs: 50 }));
      stage.advance(10);
      assert.equal((await stage.tidy()).skipped, 0);
      stage.advance(2);
      const first = await stage.tidy(1);
      assert.deepEqual([first.skipped, first.hasMore], [1, true]);
      assert.equal((await stage.tidy()).skipped, 1);
      assert.equal(await stage.states("a", "b", "c"), "skipped skipped ready");
      assert.match((await stage.row("b")).reason ?? "", /^too late: not started by /);
    },
  },
  {
    claim: "a job that was due and late in one is skipped",
    run: async (stage) => {
      await stage.enqueue(job("a", { delayMs: 10, startWithinMs: 20 }));
      stage.advance(21);
      await stage.tidy();
      assert.equal(await stage.state("a"), "skipped");
    },
  },
  {
    claim: "parking those behind a death is counted and bounded",
    run: async (stage) => {
      await stage.enqueue(...["a", "b", "c", "d"].map((id) => member(id, "park")));
      await stage.die("a");
      const first = await stage.tidy(2);
      const second = await stage.tidy(2);
      assert.deepEqual([first.parked, first.hasMore, second.parked], [2, true, 1]);
      assert.equal(await stage.states("b", "c", "d"), "parked parked parked");
    },
  },
  ...(Object.keys(endings) as EndedState[]).map((ending): Case => ({
    claim: `a ${ending} job is kept as long as was asked, and then removed`,
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await endings[ending](stage);
      assert.equal(await stage.state("a"), ending);
      stage.advance(keep[ending] - 1);
      await stage.tidy();
      assert.equal(await stage.state("a"), ending);
      stage.advance(2);
      // Its death is an event, which is kept for a time of its own.
      assert.ok((await stage.tidy()).purged >= 1);
      assert.equal(await stage.find("a"), undefined);
      assert.deepEqual(await stage.counts(), {});
      assert.equal((await stage.enqueue(job("a", { content: "other" })))[0]?.isDuplicate, false);
    },
  })),
  {
    claim: "an id that is remembered longer is not removed sooner",
    run: async (stage) => {
      await stage.enqueue(job("a", { rememberMs: 3 * day }));
      await stage.run("a");
      stage.advance(3 * day - 1);
      await stage.tidy();
      assert.equal((await stage.enqueue(job("a")))[0]?.isDuplicate, true);
      stage.advance(2);
      await stage.tidy();
      assert.equal(await stage.find("a"), undefined);
    },
  },
  {
    claim: "live jobs are never removed, however old",
    run: async (stage) => {
      await stage.enqueue(
        job("ready"),
        job("scheduled", { delayMs: 365 * day }),
        member("parked", "park", { queue: "lanes" }),
        member("blocked", "park", { queue: "lanes" }),
      );
      await stage.claim({ queues: [{ queue: "lanes", slots: 1, ahead: 0 }] });
      await stage.settle("parked", "dead", { reason: "broken" });
      stage.advance(364 * day);
      await stage.tidy();
      assert.equal(await stage.states("ready", "scheduled", "parked", "blocked"), "ready scheduled parked parked");
    },
  },
  {
    claim: "a redriven job is live again: what its old ending kept it for is forgotten",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.die("a");
      stage.advance(30 * day - 1);
      await stage.retry("a");
      stage.advance(day);
      await stage.tidy();
      assert.equal(await stage.state("a"), "ready");
    },
  },
  {
    claim: "events are kept, then removed; remembered ids longer",
    run: async (stage) => {
      await stage.enqueue(event("short"), event("long", { rememberMs: 2 * eventsKeptMs }));
      const ids = async (): Promise<string[]> => (await stage.engine.find({ of: "events", limit: 10 }, stage.at)).rows.map(({ id }) => id);
      stage.advance(eventsKeptMs - 1);
      await stage.tidy();
      assert.deepEqual(await ids(), ["short", "long"]);
      stage.advance(2);
      assert.equal((await stage.tidy()).purged, 1);
      assert.deepEqual(await ids(), ["long"]);
      stage.advance(eventsKeptMs);
      await stage.tidy();
      assert.deepEqual(await ids(), []);
    },
  },
  {
    claim: "removal is bounded, and goes on in the next pass",
    run: async (stage) => {
      const ids = ["a", "b", "c"];
      await stage.enqueue(...ids.map((id) => job(id)));
      await stage.claim();
      await stage.settleAll(...ids.map((id) => stage.outcome(id, "completed")));
      stage.advance(day + 1);
      const first = await stage.tidy(2);
      assert.deepEqual([first.purged, first.hasMore], [2, true]);
      assert.equal((await stage.tidy(2)).purged, 1);
    },
  },
];
