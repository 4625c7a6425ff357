/** Limits by key (G9): who gets room, who waits on it, and when it comes back. */
import assert from "node:assert/strict";
import { keyLimitsMax } from "../../src/core/defaults.ts";
import type { KeyLimit, NewJob } from "../../src/core/engine.ts";
import { job, start } from "./stage.ts";
import type { Case, JobOptions, Stage } from "./stage.ts";

const everyMs = 1_000;

function running(most: number, key = "k"): KeyLimit {
  return { key, is: { running: most } };
}

function starts(most: number, key = "k"): KeyLimit {
  return { key, is: { starts: most, everyMs } };
}

function limited(id: string, limit: KeyLimit | readonly KeyLimit[], options: JobOptions = {}): NewJob {
  return job(id, { keyLimits: Array.isArray(limit) ? (limit as readonly KeyLimit[]) : [limit as KeyLimit], ...options });
}

/** What a job with room does, and whether the next one of its key has room then, by kind of limit. */
const freeRows: readonly { readonly claim: string; readonly act: (stage: Stage) => Promise<unknown>; readonly running: boolean; readonly starts: boolean }[] = [
  { claim: "is ready", act: () => Promise.resolve(), running: false, starts: false },
  { claim: "runs", act: (stage) => stage.claim({ slots: 1 }), running: false, starts: false },
  { claim: "completed", act: (stage) => stage.run("a"), running: true, starts: false },
  { claim: "died", act: (stage) => stage.die("a"), running: true, starts: false },
  { claim: "retries later", act: (stage) => stage.run("a", "retry", { delayMs: 100 }), running: true, starts: false },
  { claim: "snoozes", act: (stage) => stage.run("a", "snoozed", { delayMs: 100 }), running: true, starts: false },
  { claim: "was cancelled while it was ready", act: (stage) => stage.cancel("a"), running: true, starts: true },
  { claim: "runs on after a save", act: (stage) => stage.run("a", "saved"), running: false, starts: false },
];

export const cases: readonly Case[] = [
  ...(["running", "starts"] as const).flatMap((kind) =>
    freeRows.map((row): Case => ({
      claim: `one at a time (${kind}): the next ${row[kind] ? "is let through" : "waits"} while the first ${row.claim}`,
      run: async (stage) => {
        const limit = kind === "running" ? running(1) : starts(1);
        await stage.enqueue(limited("a", limit));
        stage.advance(1);
        await stage.enqueue(limited("b", limit));
        await row.act(stage);
        assert.equal(await stage.state("b"), row[kind] ? "ready" : "blocked");
        if (!row[kind]) assert.deepEqual((await stage.row("b")).waits, { reason: "limit", on: "k", since: start + 1 });
      },
    })),
  ),
  {
    claim: "never more than `running` are ready or running",
    run: async (stage) => {
      await stage.enqueue(...["a", "b", "c", "d", "e"].map((id) => limited(id, running(2))));
      assert.deepEqual(await stage.counts(), { "mail send ready": 2, "mail send blocked": 3 });
      assert.deepEqual(await stage.claimIds(), ["a", "b"]);
      assert.deepEqual(await stage.claimIds(), []);
      await stage.settle("b", "completed");
      assert.deepEqual(await stage.claimIds(), ["c"]);
      await stage.settleAll(stage.outcome("a", "completed"), stage.outcome("c", "dead"));
      assert.deepEqual(await stage.claimIds(), ["d", "e"]);
    },
  },
  {
    claim: "never more than `starts` in any everyMs, whenever they begin",
    run: async (stage) => {
      const begun: number[] = [];
      for (let second = 0; second < 40; second += 1) {
        if (second % 3 === 0) await stage.enqueue(...["a", "b", "c"].map((id) => limited(`${id}-${second}`, starts(3))));
        const ids = await stage.claimIds({ slots: 1 + (second % 4) });
        begun.push(...ids.map(() => stage.now));
        await stage.settleAll(...ids.map((id) => stage.outcome(id, "completed")));
        stage.advance(170);
      }
      for (const [index, at] of begun.entries()) {
        const fourth = begun[index + 3];
        assert.ok(fourth === undefined || fourth - at >= everyMs, `four starts in ${(fourth ?? 0) - at} ms`);
      }
      assert.ok(begun.length > 15);
    },
  },
  {
    claim: "a start counts for everyMs from the start, to the millisecond, and tidy or a claim give the room then",
    run: async (stage) => {
      await stage.enqueue(limited("a", starts(1)), limited("b", starts(1)), limited("c", starts(1)));
      stage.advance(300);
      await stage.run("a");
      stage.advance(everyMs - 1);
      await stage.tidy();
      assert.equal(await stage.state("b"), "blocked");
      stage.advance(1);
      const { admitted } = await stage.tidy();
      assert.deepEqual([await stage.state("b"), admitted], ["ready", 1]);
      await stage.run("b");
      stage.advance(everyMs);
      assert.deepEqual(await stage.claimIds(), ["c"]);
    },
  },
  {
    claim: "a release gives the start back, and the job goes on",
    run: async (stage) => {
      await stage.enqueue(limited("a", starts(1)), limited("b", starts(1)));
      await stage.run("a", "released");
      assert.equal(await stage.states("a", "b"), "ready blocked");
      await stage.claim();
      await stage.settle("a", "released");
      await stage.cancel("a");
      assert.equal(await stage.state("b"), "ready");
    },
  },
  {
    claim: "a retry without delay is a start of its own",
    run: async (stage) => {
      await stage.enqueue(limited("a", starts(1)));
      assert.equal((await stage.run("a", "retry")).state, "blocked");
      stage.advance(everyMs);
      await stage.run("a");
    },
  },
  {
    claim: "one that comes back asks anew: a more urgent one goes first",
    run: async (stage) => {
      await stage.enqueue(limited("a", running(1)));
      await stage.claim();
      await stage.enqueue(limited("urgent", running(1), { headStartMs: 1_000 }));
      assert.equal((await stage.settle("a", "released")).state, "blocked");
      assert.equal(await stage.state("urgent"), "ready");
    },
  },
  ...([running(1), starts(1)] as const).map((limit): Case => ({
    claim: `what a crashed process held (${Object.keys(limit.is)[0]}) is given to the next when it is taken back`,
    run: async (stage) => {
      await stage.enqueue(limited("a", limit), limited("b", limit, { headStartMs: 50 }), limited("c", limit));
      assert.deepEqual(await stage.claimIds(), ["b"]);
      await stage.crash();
      // Still the most urgent: it has room again, and is once suspect.
      assert.deepEqual(await stage.claimIds(), ["b"]);
    },
  })),
  {
    claim: "room is given by urgency, then by order of enqueue",
    run: async (stage) => {
      await stage.enqueue(limited("first", running(1)));
      await stage.claim();
      await stage.enqueue(
        limited("low", running(1), { headStartMs: -9 }),
        limited("b", running(1)),
        limited("c", running(1)),
        limited("high", running(1), { headStartMs: 9 }),
      );
      const order: string[] = [];
      for (let id = "first"; id !== ""; [id = ""] = await stage.claimIds()) {
        if (id !== "first") order.push(id);
        await stage.settle(id, "completed");
      }
      assert.deepEqual(order, ["high", "b", "c", "low"]);
    },
  },
  {
    claim: "those that come in one atom are given room by urgency too, and keep theirs: they did not wait",
    run: async (stage) => {
      await stage.enqueue(limited("a", running(1)), limited("b", running(1), { headStartMs: 9 }));
      assert.equal(await stage.states("a", "b"), "blocked ready");
      assert.equal((await stage.row("b")).urgency, start - 9);
    },
  },
  {
    claim: "one that had to wait takes its place among the ready ones as of then, so that many keys take turns",
    run: async (stage) => {
      await stage.enqueue(...["1", "2", "3"].map((id) => limited(`x${id}`, running(1, "x"))), job("plain", { headStartMs: -60 }));
      stage.advance(50);
      await stage.enqueue(...["1", "2", "3"].map((id) => limited(`y${id}`, running(1, "y"))));
      stage.advance(50);
      const order: string[] = [];
      for (let turn = 0; turn < 7; turn += 1) {
        const [id = ""] = await stage.claimIds({ slots: 1 });
        order.push(id);
        stage.advance(1);
        await stage.settle(id, "completed");
      }
      assert.deepEqual(order, ["x1", "y1", "plain", "x2", "y2", "x3", "y3"]);
      assert.equal((await stage.row("x2")).urgency, start + 101);
    },
  },
  {
    claim: "the number of the job that is next decides, and nobody goes past it",
    run: async (stage) => {
      await stage.enqueue(limited("a", running(3)), limited("b", running(3)));
      await stage.claim();
      await stage.enqueue(limited("strict", running(1), { headStartMs: 5 }));
      await stage.enqueue(limited("c", running(3)));
      assert.equal(await stage.states("strict", "c"), "blocked blocked");
      await stage.settle("a", "completed");
      assert.equal(await stage.states("strict", "c"), "blocked blocked");
      await stage.settle("b", "completed");
      assert.equal(await stage.states("strict", "c"), "ready ready");
    },
  },
  {
    claim: "one that waits first and leaves makes way for those behind it",
    run: async (stage) => {
      await stage.enqueue(limited("a", running(2)));
      await stage.claim();
      await stage.enqueue(limited("strict", running(1)));
      await stage.enqueue(limited("c", running(2)));
      assert.equal(await stage.state("c"), "blocked");
      await stage.cancel("strict");
      assert.equal(await stage.state("c"), "ready");
    },
  },
  {
    claim: "other keys flow, and jobs without one",
    run: async (stage) => {
      await stage.enqueue(limited("a", running(1, "x")), limited("b", running(1, "x")), limited("c", running(1, "y")), job("d"));
      assert.deepEqual(await stage.claimIds(), ["a", "c", "d"]);
    },
  },
  {
    claim: "a job with several limits passes all of them, and holds none while it waits for one",
    run: async (stage) => {
      await stage.enqueue(limited("x", running(1, "x")), limited("y", running(1, "y")));
      await stage.claim();
      await stage.enqueue(limited("both", [running(1, "x"), running(1, "y")]));
      stage.advance(5);
      assert.equal((await stage.row("both")).waits?.on, "x");
      await stage.settle("x", "completed");
      assert.deepEqual((await stage.row("both")).waits, { reason: "limit", on: "y", since: start });
      await stage.enqueue(limited("x2", running(1, "x")));
      assert.equal(await stage.state("x2"), "ready");
      await stage.settle("y", "completed");
      assert.deepEqual([await stage.state("both"), (await stage.row("both")).waits?.on], ["blocked", "x"]);
      await stage.run("x2");
      assert.equal(await stage.state("both"), "ready");
      await stage.enqueue(limited("x3", running(1, "x")), limited("y3", running(1, "y")));
      assert.equal(await stage.states("x3", "y3"), "blocked blocked");
      await stage.run("both");
      assert.equal(await stage.states("x3", "y3"), "ready ready");
    },
  },
  {
    claim: "one that passes its first limit does not go past a more urgent one that waits for the next",
    run: async (stage) => {
      await stage.enqueue(limited("x", running(1, "x")), limited("y", running(1, "y")));
      await stage.claim();
      await stage.enqueue(limited("strict", running(1, "x"), { headStartMs: 5 }), limited("both", [running(1, "y"), running(3, "x")]));
      await stage.settle("y", "completed");
      assert.equal(await stage.states("strict", "both"), "blocked blocked");
      await stage.settle("x", "completed");
      assert.equal(await stage.states("strict", "both"), "ready ready");
    },
  },
  {
    claim: "room that came back with time goes to those that wait as soon as somebody asks for it",
    run: async (stage) => {
      await stage.enqueue(limited("a", starts(1)));
      await stage.claim();
      await stage.enqueue(limited("b", starts(1)));
      stage.advance(everyMs);
      await stage.enqueue(limited("c", starts(1)));
      assert.equal(await stage.states("b", "c"), "ready blocked");
    },
  },
  {
    claim: "one that waits for one of its limits is more urgent than a newcomer for the other, also where both have room at once",
    run: async (stage) => {
      await stage.enqueue(limited("x", running(1, "x")));
      await stage.claim();
      await stage.enqueue(limited("both", [running(1, "x"), running(1, "y")], { headStartMs: 5 }));
      await stage.settle("x", "completed", { follow: [limited("new", running(1, "y"))] });
      assert.equal(await stage.states("both", "new"), "ready blocked");
    },
  },
  {
    claim: "one that waits for one of its limits is more urgent than one that waits for the other, also where both have room at once",
    run: async (stage) => {
      await stage.enqueue(limited("x", running(1, "x")), limited("y", running(1, "y")));
      await stage.claim();
      await stage.enqueue(limited("both", [running(1, "x"), running(1, "y")], { headStartMs: 5 }), limited("second", running(1, "y")));
      await stage.settleAll(stage.outcome("y", "completed"), stage.outcome("x", "completed"));
      assert.equal(await stage.states("both", "second"), "ready blocked");
    },
  },
  {
    claim: "two jobs whose limits cross do not wait for each other",
    run: async (stage) => {
      const [xy, yx] = [
        [running(1, "x"), running(1, "y")],
        [running(1, "y"), running(1, "x")],
      ];
      await stage.enqueue(...["a", "b", "c", "d"].map((id, index) => limited(id, index % 2 ? yx : xy)));
      const order: string[] = [];
      for (let [id = ""] = await stage.claimIds(); id !== ""; [id = ""] = await stage.claimIds()) {
        order.push(id);
        await stage.settle(id, "completed");
      }
      assert.deepEqual(order, ["a", "b", "c", "d"]);
    },
  },
  {
    claim: "limits of both kinds bound a key together",
    run: async (stage) => {
      await stage.enqueue(...["a", "b", "c"].map((id) => limited(id, [running(1), starts(2, "rate")])));
      for (const id of ["a", "b"]) await stage.run(id);
      assert.deepEqual((await stage.row("c")).waits?.on, "rate");
      stage.advance(everyMs);
      await stage.run("c");
    },
  },
  {
    claim: "nextDueMs tells when the next start has room, as long as jobs wait for it",
    run: async (stage) => {
      await stage.enqueue(limited("a", starts(2)), limited("b", starts(2)));
      await stage.claim({ slots: 1 });
      stage.advance(100);
      assert.equal((await stage.claim()).nextDueMs, undefined);
      await stage.enqueue(limited("c", starts(2)), limited("d", running(1, "other")), limited("e", running(1, "other")), job("later", { delayMs: 5_000 }));
      assert.equal((await stage.claim()).nextDueMs, 900);
      stage.advance(900);
      const claimed = await stage.claim();
      assert.deepEqual([claimed.jobs.map(({ id }) => id), claimed.nextDueMs], [["c"], 4_100]);
    },
  },
  {
    claim: "nextDueMs says nothing of room that ready jobs hold",
    run: async (stage) => {
      await stage.enqueue(limited("a", starts(1)), limited("b", starts(1)));
      assert.equal((await stage.claim({ slots: 0 })).nextDueMs, undefined);
      assert.equal((await stage.claim()).nextDueMs, everyMs);
    },
  },
  {
    claim: "a full key takes no worker's slot, however many wait: 5,000 behind it do not hide the one that can run",
    run: async (stage) => {
      for (let atom = 0; atom < 10; atom += 1) await stage.enqueue(...Array.from({ length: 500 }, (_, index) => limited(`${atom}-${index}`, running(1))));
      await stage.enqueue(job("free"));
      assert.deepEqual(await stage.claimIds({ slots: 5 }), ["0-0", "free"]);
    },
  },
  {
    claim: "more room than one verb may give is given by tidy",
    run: async (stage) => {
      await stage.enqueue(limited("first", running(1)));
      await stage.claim();
      await stage.enqueue(limited("strict", running(1), { headStartMs: 1 }));
      for (let atom = 0; atom < 3; atom += 1) await stage.enqueue(...Array.from({ length: 400 }, (_, index) => limited(`${atom}-${index}`, running(2_000))));
      assert.deepEqual(await stage.counts(), { "mail send running": 1, "mail send blocked": 1_201 });
      await stage.settle("first", "completed");
      assert.deepEqual(await stage.counts(), { "mail send completed": 1, "mail send ready": 1_000, "mail send blocked": 201 });
      const { admitted, hasMore } = await stage.tidy(150);
      assert.deepEqual([admitted, hasMore], [150, true]);
      await stage.tidy(150);
      assert.deepEqual(await stage.counts(), { "mail send completed": 1, "mail send ready": 1_201 });
    },
  },
  {
    claim: "its limits are told with the job",
    run: async (stage) => {
      await stage.enqueue(limited("a", [running(1), starts(2, "rate")]), job("b"));
      assert.deepEqual([(await stage.row("a")).keyLimits, (await stage.row("b")).keyLimits], [[running(1), starts(2, "rate")], undefined]);
    },
  },
  {
    claim: "more limits than a job may have, or two for one key, refuse the atom",
    run: async (stage) => {
      const many = Array.from({ length: keyLimitsMax + 1 }, (_, index) => running(1, `k-${index}`));
      for (const limits of [many, [running(1), starts(1)]]) assert.equal(await stage.refused({ works: [limited("a", limits)] }), "option-invalid");
      await stage.enqueue(limited("a", many.slice(1)));
    },
  },
  {
    claim: "the limits of a subscription come with its jobs",
    run: async (stage) => {
      await stage.subscribe("s", { keyLimits: [{ scope: "send", per: ["account"], is: { running: 1 } }] });
      for (const [id, account] of [
        ["e1", 1],
        ["e2", 1],
        ["e3", 2],
      ] as const) {
        await stage.enqueue({ kind: "event", id, content: id, rememberMs: 0, name: "order.placed", payload: `{"account":${account}}` });
      }
      assert.deepEqual(await stage.counts(), { "mail send ready": 2, "mail send blocked": 1 });
    },
  },
];
