/** Members of a lane handed out in a row, so that a lane is not one claim for each job (G7). */
import assert from "node:assert/strict";
import type { NewJob } from "../../src/core/engine.ts";
import { pausedTask } from "../../src/core/notes.ts";
import { job, member, start } from "./stage.ts";
import type { Case, JobOptions, Stage } from "./stage.ts";

type Wanted = NonNullable<Parameters<Stage["claim"]>[0]>;

const row: Wanted = { slots: 1, ahead: 9, inRow: 10 };

function members(ids: string, ifDead: "park" | "block" | "continue" = "park", options: JobOptions = {}): NewJob[] {
  return ids.split("").map((id) => member(id, ifDead, options));
}

/** What is stored, what is asked for, and what is handed out. The lane's head is "a". */
const rows: readonly { readonly claim: string; readonly works: readonly NewJob[]; readonly wanted: Wanted; readonly ids: string }[] = [
  { claim: "the default is one at a time", works: members("abc"), wanted: { slots: 5, ahead: 5 }, ids: "a" },
  { claim: "1 is one at a time", works: members("abc"), wanted: { ...row, inRow: 1 }, ids: "a" },
  { claim: "members follow the first, in order", works: members("abc"), wanted: row, ids: "a b c" },
  { claim: "at most so many, the first included", works: members("abcd"), wanted: { ...row, inRow: 3 }, ids: "a b c" },
  { claim: "they are counted in `ahead`", works: members("abcd"), wanted: { ...row, ahead: 2 }, ids: "a b c" },
  { claim: "without `ahead` there is no row", works: members("abcd"), wanted: { ...row, slots: 5, ahead: 0 }, ids: "a" },
  {
    claim: "what they use of `ahead` is gone for others",
    works: [...members("abc"), job("x"), job("y"), job("z")],
    wanted: { ...row, ahead: 3 },
    ids: "a b c x",
  },
  { claim: "slots are for others still", works: [...members("abc"), job("x"), job("y"), job("z")], wanted: { ...row, slots: 3, ahead: 2 }, ids: "a b c x y" },
  {
    claim: "each lane has a row of its own, and each row stands together",
    works: ["x", "y"].flatMap((key) => [1, 2].map((number) => job(`${key}${number}`, { lane: { key, width: 1, ifDead: "park" } }))),
    wanted: { ...row, slots: 2 },
    ids: "x1 x2 y1 y2",
  },
  { claim: "a wider lane has no rows", works: "abcd".split("").map((id) => member(id, "park", {}, 2)), wanted: row, ids: "a" },
  {
    claim: "the row ends at one that is not due",
    works: [...members("ab"), member("c", "park", { delayMs: 5 }), member("d", "park")],
    wanted: row,
    ids: "a b",
  },
  {
    claim: "the row ends at one of another task",
    works: [...members("ab"), member("c", "park", { task: "print" }), member("d", "park")],
    wanted: { ...row, tasks: ["send", "print"] },
    ids: "a b",
  },
  {
    claim: "the row ends at one of another queue",
    works: [...members("ab"), member("c", "park", { queue: "paper" }), member("d", "park")],
    wanted: row,
    ids: "a b",
  },
  {
    claim: "the row ends at one with a limit by key",
    works: [...members("ab"), member("c", "park", { keyLimits: [{ key: "k", is: { running: 5 } }] }), member("d", "park")],
    wanted: row,
    ids: "a b",
  },
  {
    claim: "the first may have one",
    works: [member("a", "park", { keyLimits: [{ key: "k", is: { running: 5 } }] }), ...members("bc")],
    wanted: row,
    ids: "a b c",
  },
  {
    claim: "the row ends at one that is too late",
    works: [...members("ab"), member("c", "park", { startBy: start - 1 }), member("d", "park")],
    wanted: row,
    ids: "a b",
  },
  { claim: "never where the terms name a gate", works: members("abc"), wanted: { ...row, terms: { send: { gates: ["free"] } } }, ids: "a" },
  { claim: "never where the terms name a need", works: members("abc"), wanted: { ...row, terms: { send: { needs: { free: 0 } } } }, ids: "a" },
  { claim: "`most` bounds the row", works: members("abcd"), wanted: { ...row, terms: { send: { most: 3 } } }, ids: "a b c" },
  { claim: "terms of other tasks do not matter", works: members("abc"), wanted: { ...row, terms: { print: { gates: ["free"] } } }, ids: "a b c" },
];

/** How one comes back that followed while "a" lives. */
const backRows: readonly { readonly is: "retry" | "snoozed" | "released"; readonly delayMs?: number }[] = [
  { is: "retry" },
  { is: "retry", delayMs: 50 },
  { is: "snoozed", delayMs: 50 },
  { is: "released" },
];

export const cases: readonly Case[] = [
  ...rows.map(({ claim, works, wanted, ids }): Case => ({
    claim,
    run: async (stage) => {
      await stage.enqueue(...works);
      assert.equal((await stage.claimIds(wanted)).join(" "), ids);
    },
  })),
  {
    claim: "all of a row are running, under one lease, and told their lane",
    run: async (stage) => {
      await stage.enqueue(...members("abc"), member("wide", "park", { lane: { key: "wide", width: 2, ifDead: "park" } }));
      const { jobs, fence } = await stage.claim({ ...row, slots: 2 });
      const lane = 'send["k"]';
      assert.deepEqual(
        jobs.map((claimed) => [claimed.id, claimed.lane, claimed.isOrdered, claimed.starts]),
        [
          ["a", lane, true, 1],
          ["b", lane, true, 1],
          ["c", lane, true, 1],
          ["wide", undefined, true, 1],
        ],
      );
      assert.equal(await stage.states("a", "b", "c"), "running running running");
      assert.equal((await stage.row("c")).claim?.fence, fence);
    },
  },
  {
    claim: "a row is settled in order, and what comes after it is admitted when all of it has ended",
    run: async (stage) => {
      await stage.enqueue(...members("abcd"));
      await stage.claim({ ...row, inRow: 3 });
      for (const id of ["a", "b"]) assert.equal((await stage.settle(id, "completed")).state, "completed");
      assert.equal(await stage.states("c", "d"), "running blocked");
      await stage.settle("c", "completed");
      assert.equal(await stage.state("d"), "ready");
    },
  },
  ...backRows.map(({ is, delayMs }): Case => ({
    claim: `one that comes back (${is}${delayMs === undefined ? "" : ", later"}) while an earlier member lives goes back behind it`,
    run: async (stage) => {
      await stage.enqueue(...members("abcd"));
      await stage.claim({ ...row, inRow: 3 });
      const back = delayMs === undefined ? {} : { delayMs };
      assert.equal((await stage.settle("b", is, back)).state, "blocked");
      assert.equal((await stage.row("b")).waits?.reason, "key");
      await stage.settle("a", "retry", { delayMs: 100 });
      assert.equal((await stage.settle("c", "released")).state, "blocked");
      assert.equal(await stage.states("a", "b", "c", "d"), "scheduled blocked blocked blocked");
      stage.advance(100);
      const order: string[] = [];
      for (let turn = 0; turn < 4; turn += 1) {
        const [id = ""] = await stage.claimIds();
        order.push(id);
        await stage.settle(id, "completed");
      }
      assert.deepEqual(order, ["a", "b", "c", "d"]);
    },
  })),
  {
    claim: "one that comes back when all before it have ended waits as the first",
    run: async (stage) => {
      await stage.enqueue(...members("abc"));
      await stage.claim(row);
      await stage.settle("a", "completed");
      assert.equal((await stage.settle("b", "retry", { delayMs: 50 })).state, "scheduled");
      assert.equal((await stage.settle("c", "released")).state, "blocked");
      stage.advance(50);
      assert.deepEqual(await stage.claimIds(row), ["b", "c"]);
    },
  },
  {
    claim: "the first of a row that comes back stays admitted",
    run: async (stage) => {
      await stage.enqueue(...members("ab"));
      await stage.claim(row);
      assert.equal((await stage.settle("a", "released")).state, "ready");
      assert.deepEqual(await stage.claimIds({ process: "p2" }), ["a"]);
      assert.equal((await stage.settle("b", "released")).state, "blocked");
    },
  },
  {
    claim: "nobody follows one that came back while one that ran behind it runs still: it would pass that one",
    run: async (stage) => {
      await stage.enqueue(...members("abcd"));
      await stage.claim({ ...row, inRow: 2 });
      await stage.settle("a", "retry", { delayMs: 0 });
      assert.equal(await stage.states("a", "b", "c"), "ready running blocked");
      assert.deepEqual(await stage.claimIds({ ...row, process: "p2" }), ["a"]);
      await stage.settle("b", "released");
      await stage.settle("a", "completed");
      assert.deepEqual(await stage.claimIds(row), ["b", "c", "d"]);
    },
  },
  {
    claim: "nor where one that ran behind it has died and holds the lane",
    run: async (stage) => {
      await stage.enqueue(...members("abc", "block"));
      await stage.claim({ ...row, inRow: 2 });
      await stage.settle("a", "released");
      await stage.settle("b", "dead");
      assert.deepEqual(await stage.claimIds({ ...row, process: "p2" }), ["a"]);
    },
  },
  {
    claim: "a row whose process crashed runs again in its order, and suspects follow nobody",
    run: async (stage) => {
      await stage.enqueue(...members("abc"));
      await stage.claim(row);
      await stage.crash();
      assert.equal(await stage.states("a", "b", "c"), "ready blocked blocked");
      assert.deepEqual(await stage.claimIds(row), ["a"]);
      await stage.settle("a", "completed");
      assert.deepEqual(await stage.claimIds(row), ["b"]);
    },
  },
  {
    claim: "a row of a crashed process that is taken back one by one keeps its order",
    run: async (stage) => {
      await stage.enqueue(...members("abc"));
      await stage.claim(row);
      stage.advance(100_000);
      for (let pass = 0; pass < 3; pass += 1) await stage.tidy(1);
      assert.equal(await stage.states("a", "b", "c"), "ready blocked blocked");
    },
  },
  ...(["park", "block", "continue"] as const).map((ifDead): Case => ({
    claim: `the death of the first (${ifDead}): those that followed it, handed back, are ${ifDead === "park" ? "parked" : ifDead === "block" ? "blocked" : "next"}`,
    run: async (stage) => {
      await stage.enqueue(...members("abc", ifDead));
      await stage.claim(row);
      await stage.settle("a", "dead");
      await stage.settleAll(stage.outcome("b", "released"), stage.outcome("c", "released"));
      await stage.tidy();
      const states = { park: "parked parked parked", block: "parked blocked blocked", continue: "dead ready blocked" }[ifDead];
      assert.equal(await stage.states("a", "b", "c"), states);
      if (ifDead === "continue") return;
      await stage.retry("a");
      await stage.tidy();
      assert.deepEqual(await stage.claimIds(row), ["a", "b", "c"]);
    },
  })),
  {
    claim: "one that followed and was handed back too late is skipped when it would be admitted",
    run: async (stage) => {
      await stage.enqueue(member("a", "park"), member("b", "park", { startWithinMs: 10 }));
      await stage.claim(row);
      stage.advance(11);
      assert.equal((await stage.settle("b", "released")).state, "blocked");
      await stage.settle("a", "completed");
      assert.equal(await stage.state("b"), "skipped");
    },
  },
  {
    claim: "a cancelled one that followed ends cancelled, and the row goes on",
    run: async (stage) => {
      await stage.enqueue(...members("abc"));
      await stage.claim(row);
      assert.equal(await stage.cancel("b"), "cancelling");
      await stage.settle("a", "completed");
      assert.equal((await stage.settle("b", "released")).is, "cancelled");
      assert.equal((await stage.settle("c", "completed")).state, "completed");
    },
  },
  {
    claim: "one that followed and died in a lane that blocks goes back behind the first, which still runs, when it is redriven",
    run: async (stage) => {
      await stage.enqueue(...members("abc", "block"));
      await stage.claim(row);
      await stage.settle("b", "dead");
      await stage.settle("c", "released");
      assert.equal(await stage.retry("b"), "retried");
      assert.equal(await stage.states("a", "b", "c"), "running blocked blocked");
      await stage.settle("a", "completed");
      assert.equal(await stage.states("b", "c"), "ready blocked");
    },
  },
  {
    claim: "what `most` keeps from following goes on when the first has ended",
    run: async (stage) => {
      await stage.enqueue(...members("abc"));
      assert.deepEqual(await stage.claimIds({ ...row, terms: { send: { most: 1 } } }), ["a"]);
      await stage.settle("a", "completed");
      assert.deepEqual(await stage.claimIds({ ...row, terms: { send: { most: 2 } } }), ["b", "c"]);
    },
  },
  {
    claim: "an earlier member that lives again is not handed out in a later one's row, and waits behind it",
    run: async (stage) => {
      await stage.enqueue(...members("abc", "continue"));
      await stage.die("a");
      await stage.retry("a");
      assert.equal(await stage.states("a", "b"), "blocked ready");
      assert.deepEqual(await stage.claimIds(row), ["b"]);
      await stage.settle("b", "completed");
      assert.deepEqual(await stage.claimIds(row), ["a", "c"]);
    },
  },
  {
    claim: "one that runs alone has no row",
    run: async (stage) => {
      await stage.enqueue(...members("abc"));
      for (const process of ["p1", "p2"]) {
        await stage.claim({ process });
        await stage.crash();
      }
      assert.deepEqual(await stage.claimIds({ ...row, process: "q", alone: "only" }), ["a"]);
    },
  },
  {
    claim: "a row is handed out to nobody while its task is paused",
    run: async (stage) => {
      await stage.enqueue(...members("abc"));
      await stage.write({ key: pausedTask("send"), value: "{}" });
      assert.deepEqual(await stage.claimIds(row), []);
    },
  },
  {
    claim: "members that wait for a predecessor or a join are not in the lane: the row goes past them",
    run: async (stage) => {
      await stage.enqueue(
        job("x", { task: "print" }),
        member("a", "park"),
        member("held", "park", { after: [{ id: "x", when: "well" }] }),
        member("b", "park"),
      );
      assert.deepEqual(await stage.claimIds(row), ["a", "b"]);
      await stage.claim({ tasks: ["print"] });
      await stage.settle("x", "completed");
      assert.equal(await stage.state("held"), "blocked");
      await stage.settle("a", "completed");
      await stage.settle("b", "released");
      assert.deepEqual(await stage.claimIds(row), ["held", "b"]);
    },
  },
  {
    claim: "300 members of one lane are 3 claims of 100, in order",
    run: async (stage) => {
      const ids = Array.from({ length: 300 }, (_, index) => `m${index}`);
      await stage.enqueue(...ids.map((id) => member(id, "park")));
      const order: string[] = [];
      for (let claim = 0; claim < 3; claim += 1) {
        const claimed = await stage.claimIds({ slots: 1, ahead: 200, inRow: 100 });
        order.push(...claimed);
        await stage.settleAll(...claimed.map((id) => stage.outcome(id, "completed")));
      }
      assert.deepEqual(order, ids);
    },
  },
];
