/** Uniqueness mode "gather": a debounce that accumulates. */
import assert from "node:assert/strict";
import type { NewJob, Uniqueness } from "../../src/core/engine.ts";
import { job, member, start } from "./stage.ts";
import type { Case, JobOptions } from "./stage.ts";

const gather: Extract<Uniqueness["mode"], { is: "gather" }> = { is: "gather", quietMs: 1_000, atMostMs: 2_500, most: 3 };

function one(id: string, options: JobOptions = {}, mode: Partial<typeof gather> = {}): NewJob {
  return job(id, { payload: `["${id}"]`, unique: { key: "u", mode: { ...gather, ...mode } }, ...options });
}

const kilobyte = "x".repeat(1_024);

export const cases: readonly Case[] = [
  {
    claim: "a newcomer's element is added at the end, and the job is due as for a debounce",
    run: async (stage) => {
      assert.deepEqual(await stage.enqueue(one("a")), [{ id: "a", isDuplicate: false, state: "scheduled" }]);
      assert.equal((await stage.row("a")).dueAt, start + 1_000);
      stage.advance(800);
      assert.deepEqual(await stage.enqueue(one("b", { headStartMs: 7, expecting: '"e"' })), [{ id: "a", isDuplicate: true, state: "scheduled" }]);
      const { payload, dueAt, urgency, expecting } = await stage.row("a");
      assert.deepEqual([payload, dueAt, urgency, expecting], ['["a","b"]', start + 1_800, start + 1_793, '"e"']);
      assert.equal(await stage.find("b"), undefined);
    },
  },
  {
    claim: "never later than atMostMs after the first",
    run: async (stage) => {
      const due: number[] = [];
      for (const id of ["a", "b", "c", "d"]) {
        await stage.enqueue(one(id, {}, { most: 9 }));
        due.push((await stage.row("a")).dueAt - start);
        stage.advance(900);
      }
      assert.deepEqual(due, [1_000, 1_900, 2_500, 2_500]);
    },
  },
  {
    claim: "with its last element it is full and due now; the next one starts another",
    run: async (stage) => {
      await stage.enqueue(one("a"), one("b"));
      stage.advance(5);
      assert.deepEqual(await stage.enqueue(one("c"), one("d")), [
        { id: "a", isDuplicate: true, state: "ready" },
        { id: "d", isDuplicate: false, state: "scheduled" },
      ]);
      assert.deepEqual(
        [(await stage.row("a")).payload, (await stage.row("a")).dueAt, (await stage.row("d")).dueAt],
        ['["a","b","c"]', start + 5, start + 1_005],
      );
      await stage.enqueue(one("e"));
      assert.equal((await stage.row("d")).payload, '["d","e"]');
    },
  },
  {
    claim: "one that may hold a single element is full at once",
    run: async (stage) => {
      assert.deepEqual(
        (await stage.enqueue(one("a", {}, { most: 1 }), one("b", {}, { most: 1 }))).map(({ id, state }) => [id, state]),
        [
          ["a", "ready"],
          ["b", "ready"],
        ],
      );
    },
  },
  {
    claim: "what would take it above 256 KiB starts the next; it is full from then on, and due as it was",
    run: async (stage) => {
      const large = (id: string, kilobytes: number): NewJob => one(id, { payload: JSON.stringify([kilobyte.repeat(kilobytes)]) }, { most: 99 });
      await stage.enqueue(large("a", 200));
      assert.equal((await stage.enqueue(large("b", 55)))[0]?.id, "a");
      assert.deepEqual(await stage.enqueue(large("c", 100)), [{ id: "c", isDuplicate: false, state: "scheduled" }]);
      assert.equal((await stage.enqueue(one("small", {}, { most: 99 })))[0]?.id, "c");
      assert.deepEqual([await stage.state("a"), (await stage.row("a")).payload.length], ["scheduled", 255 * 1_024 + 7]);
    },
  },
  {
    claim: "bytes are counted, not characters",
    run: async (stage) => {
      await stage.enqueue(one("a", { payload: JSON.stringify(["€".repeat(60_000)]) }));
      assert.equal((await stage.enqueue(one("b", { payload: JSON.stringify(["€".repeat(30_000)]) })))[0]?.id, "b");
    },
  },
  {
    claim: "elements are kept as the text they are",
    run: async (stage) => {
      await stage.enqueue(one("a", { payload: '[ {"b": 1,  "a": "]"} ]' }));
      await stage.enqueue(one("b", { payload: "[1.0e3]" }));
      const { payload } = await stage.row("a");
      assert.deepEqual([JSON.parse(payload), payload.includes('{"b": 1,  "a": "]"}'), payload.includes("1.0e3")], [[{ b: 1, a: "]" }, 1_000], true, true]);
    },
  },
  {
    claim: "a running or parked one does not hold the key",
    run: async (stage) => {
      const lane = { key: "lane", width: 1, ifDead: "park" } as const;
      await stage.enqueue(one("a", { lane }));
      stage.advance(1_000);
      await stage.claim();
      assert.deepEqual(await stage.enqueue(one("b", { lane })), [{ id: "b", isDuplicate: false, state: "blocked" }]);
      await stage.enqueue(one("c", { lane }));
      await stage.settle("a", "dead");
      await stage.tidy();
      assert.equal(await stage.states("a", "b"), "parked parked");
      assert.deepEqual(await stage.enqueue(one("d", { lane })), [{ id: "d", isDuplicate: false, state: "parked" }]);
      assert.deepEqual([(await stage.row("b")).payload, (await stage.row("d")).payload], ['["b","c"]', '["d"]']);
    },
  },
  {
    claim: "a ready one, and one blocked in its lane, take elements",
    run: async (stage) => {
      await stage.enqueue(member("ahead", "park"), one("a", { lane: { key: 'send["k"]', width: 1, ifDead: "park" } }));
      assert.deepEqual(await stage.enqueue(one("b")), [{ id: "a", isDuplicate: true, state: "blocked" }]);
      stage.advance(1_000);
      await stage.run("ahead");
      assert.equal(await stage.state("a"), "ready");
      assert.deepEqual(await stage.enqueue(one("c")), [{ id: "a", isDuplicate: true, state: "ready" }]);
      assert.equal((await stage.row("a")).payload, '["a","b","c"]');
    },
  },
  {
    claim: "for a newcomer of another mode a full, running or parked one counts as live",
    run: async (stage) => {
      const keep = { unique: { key: "u", mode: { is: "keep" } } } as const;
      await stage.enqueue(one("a", {}, { most: 1 }));
      assert.equal((await stage.enqueue(job("x", keep)))[0]?.id, "a");
      await stage.claim();
      assert.equal((await stage.enqueue(job("x", keep)))[0]?.id, "a");
      await stage.settle("a", "completed");
      assert.equal((await stage.enqueue(job("x", keep)))[0]?.id, "x");
    },
  },
  {
    claim: "a job of another mode does not hold the key for one that gathers",
    run: async (stage) => {
      await stage.enqueue(job("x", { unique: { key: "u", mode: { is: "keep" } } }));
      assert.equal((await stage.enqueue(one("a")))[0]?.id, "a");
      assert.equal((await stage.row("x")).payload, '{"id":"x"}');
    },
  },
  {
    claim: "the window of a throttled key refuses it",
    run: async (stage) => {
      await stage.enqueue(job("x", { unique: { key: "u", mode: { is: "throttle", windowMs: 60_000 } } }));
      assert.deepEqual(await stage.enqueue(one("a")), [{ id: "x", isDuplicate: true, state: "ready" }]);
      await stage.run("x");
      assert.deepEqual(await stage.enqueue(one("a")), [{ id: "x", isDuplicate: true, state: "completed" }]);
    },
  },
  {
    claim: "replaced by a newcomer of another mode, it gathers no more",
    run: async (stage) => {
      await stage.enqueue(one("a"));
      await stage.enqueue(job("x", { unique: { key: "u", mode: { is: "replace" } }, delayMs: 9 }));
      assert.equal((await stage.row("a")).payload, '{"id":"x"}');
      assert.equal((await stage.enqueue(one("b")))[0]?.id, "b");
    },
  },
  {
    claim: "a newcomer of another version starts the next",
    run: async (stage) => {
      await stage.enqueue(one("a", { version: 1 }));
      assert.deepEqual(
        (await stage.enqueue(one("b", { version: 2 }), one("c", { version: 1 }), one("d", { version: 1 }))).map(({ id }) => id),
        ["b", "c", "c"],
      );
    },
  },
  {
    claim: "one that has saved something takes no more: what was saved is of the elements before",
    run: async (stage) => {
      await stage.enqueue(one("a"));
      stage.advance(2_000);
      assert.deepEqual(await stage.claimIds(), ["a"]);
      await stage.settle("a", "retry", { checkpoint: '"1"', delayMs: 60_000 });
      assert.equal((await stage.enqueue(one("b")))[0]?.id, "b");
      const { payload, checkpoint } = await stage.row("a");
      assert.deepEqual([payload, checkpoint], ['["a"]', '"1"']);
    },
  },
  {
    claim: "of two that gather and do not take a newcomer, none loses its elements",
    run: async (stage) => {
      await stage.enqueue(one("a", { version: 1 }));
      stage.advance(2_000);
      assert.deepEqual(await stage.claimIds(), ["a"]);
      await stage.enqueue(one("b", { version: 1 }));
      await stage.settle("a", "retry", { delayMs: 60_000 });
      assert.equal((await stage.enqueue(one("c", { version: 2 })))[0]?.id, "c");
      assert.deepEqual([(await stage.row("a")).payload, (await stage.row("b")).payload], ['["a"]', '["b"]']);
    },
  },
  {
    claim: "its id stands with the content it was stored with, also when it has taken others",
    run: async (stage) => {
      await stage.enqueue(one("a"), one("b"));
      assert.deepEqual(await stage.enqueue(one("a")), [{ id: "a", isDuplicate: true, state: "scheduled" }]);
      assert.equal((await stage.row("a")).payload, '["a","b"]');
    },
  },
  {
    claim: "one that waits for a predecessor takes elements, and keeps the due time of its debounce",
    run: async (stage) => {
      await stage.enqueue(job("x"), one("a", { after: [{ id: "x", when: "well" }] }));
      stage.advance(500);
      await stage.enqueue(one("b"));
      await stage.run("x");
      const { state, payload, dueAt } = await stage.row("a");
      assert.deepEqual([state, payload, dueAt], ["scheduled", '["a","b"]', start + 1_500]);
    },
  },
];
