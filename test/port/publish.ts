/** Events: fan-out, history for new subscriptions, deaths (G10). */
import assert from "node:assert/strict";
import type { EventRow } from "../../src/core/engine.ts";
import { jobFor } from "../../src/core/fanOut.ts";
import { derivedId, keyName } from "../../src/core/keys.ts";
import { jobDiedName, replayKey, subscriptionKey } from "../../src/core/notes.ts";
import type { JobDiedPayload } from "../../src/core/notes.ts";
import { event, job, keep, member, start } from "./stage.ts";
import type { Case, Stage } from "./stage.ts";

export const cases: readonly Case[] = [
  {
    claim: "every subscription gets one job for each event, with an id derived from both",
    run: async (stage) => {
      await stage.subscribe("s1");
      await stage.subscribe("s2", { task: "print", queue: "paper", delayMs: 1_000, headStartMs: 5, version: 2 });
      await stage.subscribe("s3", { event: "order.paid" });
      assert.deepEqual(await stage.enqueue(event("e")), [{ id: "e", isDuplicate: false }]);
      const [first, second] = await stage.all();
      assert.equal((await stage.all()).length, 2);
      assert.deepEqual([first?.id, first?.task, first?.queue, first?.state, first?.payload], [derivedId("e", "s1"), "send", "mail", "ready", '{"order":"e"}']);
      assert.deepEqual(first?.from, { event: "order.placed", eventId: "e", subscription: "s1", isHop: false });
      assert.deepEqual(
        [second?.id, second?.task, second?.queue, second?.state, second?.version, second?.urgency],
        [derivedId("e", "s2"), "print", "paper", "scheduled", 2, start + 995],
      );
    },
  },
  {
    claim: "one event fans out in the order of its subscriptions' names, whenever they were written",
    run: async (stage) => {
      for (const name of ["s2", "s3", "s1", "s2"]) await stage.subscribe(name);
      await stage.enqueue(event("e"));
      assert.deepEqual(
        (await stage.all()).map(({ from }) => from?.subscription),
        ["s1", "s2", "s3"],
      );
    },
  },
  {
    claim: "an event whose id is known is stored and fanned out once, also to those that subscribed in between",
    run: async (stage) => {
      await stage.subscribe("s1");
      await stage.enqueue(event("e"));
      await stage.subscribe("s2");
      assert.deepEqual(await stage.enqueue(event("e")), [{ id: "e", isDuplicate: true }]);
      assert.equal((await stage.all()).length, 1);
    },
  },
  {
    claim: "a retired subscription gets nothing more; a rewritten one counts as it stands",
    run: async (stage) => {
      await stage.subscribe("s1");
      await stage.subscribe("s2");
      await stage.write({ key: subscriptionKey("s1"), value: undefined });
      await stage.subscribe("s2", { queue: "other" });
      await stage.enqueue(event("e"));
      assert.deepEqual(
        (await stage.all()).map(({ queue }) => queue),
        ["other"],
      );
    },
  },
  {
    claim: "a subscription that hears another event now no longer hears the old one",
    run: async (stage) => {
      await stage.subscribe("s");
      await stage.subscribe("s", { event: "order.paid" });
      await stage.enqueue(event("placed"), event("paid", { name: "order.paid" }));
      assert.deepEqual(
        (await stage.all()).map(({ from }) => from?.eventId),
        ["paid"],
      );
    },
  },
  ...["\u0000", "half \ud83d of a pair", 'a "quote" \\ and a \n', "😀".repeat(99), "😀".repeat(100), "é".repeat(300)].map((account): Case => ({
    claim: `orderedBy names a lane as JavaScript does: ${JSON.stringify(account.slice(0, 30))}, ${account.length} units`,
    run: async (stage) => {
      const lane = keyName("send", [account]);
      await stage.subscribe("s", { orderedBy: ["account"] });
      await stage.enqueue(event("e", { payload: JSON.stringify({ account }) }));
      const { rows } = await stage.engine.find({ of: "jobs", where: { lane }, limit: 9 }, stage.at);
      assert.deepEqual(
        rows.map((row) => [row.lane, row.payload]),
        [[lane, JSON.stringify({ account })]],
      );
    },
  })),
  {
    claim: "orderedBy puts events with one value in one lane, in the order of publishing",
    run: async (stage) => {
      await stage.subscribe("s", { orderedBy: ["account"], ifDead: "block" });
      await stage.enqueue(...[1, 2, 1].map((account, index) => event(`e${index}`, { payload: JSON.stringify({ account }) })));
      const rows = await stage.all();
      assert.deepEqual(
        rows.map(({ lane, ifDead, state }) => [lane, ifDead, state]),
        [
          ["send[1]", "block", "ready"],
          ["send[2]", "block", "ready"],
          ["send[1]", "block", "blocked"],
        ],
      );
    },
  },
  {
    claim: "uniqueBy joins the live job of its key",
    run: async (stage) => {
      await stage.subscribe("s", { uniqueBy: ["account"] });
      await stage.enqueue(...[1, 2, 1].map((account, index) => event(`e${index}`, { payload: JSON.stringify({ account }) })));
      assert.deepEqual(
        (await stage.all()).map(({ from, unique }) => [from?.eventId, unique]),
        [
          ["e0", "send[1]"],
          ["e1", "send[2]"],
        ],
      );
    },
  },
  {
    claim: "a mapped subscription gets a hop, ordered by the event's own orderedBy",
    run: async (stage) => {
      await stage.subscribe("s", { isMapped: true, orderedBy: ["ignored"] });
      await stage.enqueue(...["e0", "e1"].map((id) => event(id, { orderedBy: ["account"], payload: '{"account":1}' })));
      assert.deepEqual(
        (await stage.all()).map(({ lane, from, state }) => [lane, from?.isHop, state]),
        [
          ["hop:s[1]", true, "ready"],
          ["hop:s[1]", true, "blocked"],
        ],
      );
    },
  },
  {
    claim: "events in follow-up work fan out too",
    run: async (stage) => {
      await stage.subscribe("s");
      await stage.enqueue(job("a"));
      await stage.run("a", "completed", { follow: [event("e")] });
      assert.equal(await stage.state(derivedId("e", "s")), "ready");
    },
  },
  {
    claim: "a subscription in the atom of an event, or an atom before it in the same call, hears it",
    run: async (stage) => {
      await stage.subscribe("s");
      const note = await stage.note(subscriptionKey("s"));
      assert.ok(note);
      await stage.atoms({ works: [], notes: [{ key: subscriptionKey("t"), value: note.value.replace('"s"', '"t"') }] }, { works: [event("e")] });
      assert.equal(await stage.state(derivedId("e", "t")), "ready");
    },
  },
  {
    claim: "since now: history is not replayed",
    run: async (stage) => {
      await stage.enqueue(event("e"));
      await stage.subscribe("s");
      assert.equal((await stage.tidy()).replayed, 0);
      assert.deepEqual(await stage.all(), []);
    },
  },
  {
    claim: "since the beginning: a job for each stored event of that name, oldest first, in bounded passes",
    run: async (stage) => {
      const ids = ["e0", "e1", "e2", "e3", "e4"];
      await stage.enqueue(...ids.map((id) => event(id)), event("other", { name: "order.paid" }));
      await stage.subscribe("s", { since: "beginning" });
      assert.ok(await stage.note(replayKey("s")));
      const first = await stage.tidy(2);
      assert.deepEqual([first.replayed, first.hasMore], [2, true]);
      assert.equal((await stage.tidy(2)).replayed, 2);
      while ((await stage.tidy(2)).hasMore);
      assert.deepEqual(
        (await stage.all()).map(({ id }) => id),
        ids.map((id) => derivedId(id, "s")),
      );
      assert.equal(await stage.note(replayKey("s")), undefined);
    },
  },
  {
    claim: "history meets the live events without a gap or a double",
    run: async (stage) => {
      await stage.enqueue(...["e0", "e1", "e2"].map((id) => event(id)));
      await stage.subscribe("s", { since: "beginning", keep: { completed: 0, skipped: 0, cancelled: 0, dead: 0 } });
      const ran: (string | undefined)[] = [];
      for (const id of ["e3", "e4", "e5", "e6"]) {
        await stage.enqueue(event(id));
        const { jobs } = await stage.claim();
        ran.push(...jobs.map(({ from }) => from?.eventId));
        await stage.settleAll(...jobs.map((claimed) => stage.outcome(claimed.id, "completed")));
        stage.advance(1);
        await stage.tidy(1);
      }
      for (let pass = 0; pass < 10; pass += 1) await stage.tidy();
      ran.push(...(await stage.claim()).jobs.map(({ from }) => from?.eventId));
      assert.deepEqual(ran.toSorted(), ["e0", "e1", "e2", "e3", "e4", "e5", "e6"]);
    },
  },
  {
    claim: "history is replayed to a subscription that is written for the first time, not again when it is rewritten",
    run: async (stage) => {
      await stage.enqueue(event("e"));
      await stage.subscribe("s");
      await stage.subscribe("s", { since: "beginning" });
      assert.equal((await stage.tidy()).replayed, 0);
    },
  },
  {
    claim: "a subscription that is retired while its history is replayed gets no more of it",
    run: async (stage) => {
      await stage.enqueue(event("e0"), event("e1"), event("e2"));
      await stage.subscribe("s", { since: "beginning" });
      await stage.tidy(1);
      await stage.write({ key: subscriptionKey("s"), value: undefined });
      for (let pass = 0; pass < 3; pass += 1) await stage.tidy();
      assert.equal((await stage.all()).length, 1);
    },
  },
  {
    claim: "a subscription that hears another event now gets no more of the old one's history",
    run: async (stage) => {
      await stage.enqueue(event("e0"), event("e1"), event("e2"));
      await stage.subscribe("s", { since: "beginning" });
      await stage.tidy(1);
      await stage.subscribe("s", { since: "beginning", event: "order.paid" });
      for (let pass = 0; pass < 3; pass += 1) await stage.tidy();
      assert.deepEqual(
        (await stage.all()).map(({ from }) => from?.eventId),
        ["e0"],
      );
    },
  },
  ...(
    [
      ["dies", job("a"), false],
      ["is parked by its death in a lane that parks", member("a", "park"), true],
      ["is parked by its death in a lane that blocks", member("a", "block"), true],
    ] as const
  ).map(([what, work, isParked]): Case => ({
    claim: `a job that ${what} is an event of its own, fanned out`,
    run: async (stage) => {
      await stage.subscribe("alert", { event: jobDiedName, queue: "alerts", task: "alert" });
      await stage.enqueue(work);
      await stage.run("a", "retry");
      await stage.die("a");
      const [died, ...others] = await deaths(stage);
      assert.deepEqual(others, []);
      assert.deepEqual(payloadOf(died), { jobId: "a", task: "send", queue: "mail", reason: "broken", attempts: 2, isPoison: false, isParked });
      const [alert] = (await stage.all()).filter(({ task }) => task === "alert");
      assert.deepEqual([alert?.state, alert?.from?.eventId, alert?.payload], ["ready", died?.id, died?.payload]);
    },
  })),
  {
    claim: "members that are parked behind a death did not die",
    run: async (stage) => {
      await stage.enqueue(member("a", "park"), member("b", "park"));
      await stage.die("a");
      await stage.tidy();
      assert.equal((await deaths(stage)).length, 1);
    },
  },
  {
    claim: "each death of a redriven job is an event of its own, also in the same millisecond",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.die("a");
      await stage.retry("a");
      await stage.die("a");
      assert.equal((await deaths(stage)).length, 2);
    },
  },
  {
    claim: "the death of a job that a death made is not an event",
    run: async (stage) => {
      await stage.subscribe("alert", { event: jobDiedName });
      await stage.enqueue(job("a"));
      await stage.die("a");
      const { jobs } = await stage.claim();
      assert.equal(jobs.length, 1);
      await stage.settleAll(...jobs.map(({ id }) => stage.outcome(id, "dead", { reason: "broken too" })));
      assert.equal((await deaths(stage)).length, 1);
    },
  },
  {
    claim: "what ends otherwise did not die",
    run: async (stage) => {
      await stage.enqueue(job("a"), job("b"), job("c"));
      await stage.run("a");
      await stage.run("b", "skipped", { reason: "no need" });
      await stage.cancel("c");
      assert.deepEqual(await deaths(stage), []);
    },
  },
  {
    claim: "a fan-out in the store is the fan-out of the core, field by field",
    run: async (stage) => {
      const subscription = {
        name: "s",
        event: "order.placed",
        since: "now",
        task: "send",
        queue: "mail",
        headStartMs: 7,
        delayMs: 9,
        isMapped: false,
        orderedBy: ["order"],
        uniqueBy: ["order"],
        keep,
      } as const;
      await stage.subscribe("s", subscription);
      await stage.enqueue(event("e"));
      const expected = jobFor(event("e"), subscription);
      const row = await stage.row(expected.id);
      assert.deepEqual(
        [row.lane, row.ifDead, row.unique, row.headStartMs, row.dueAt, row.from],
        [expected.lane?.key, expected.lane?.ifDead, expected.unique?.key, 7, start + 9, expected.from],
      );
    },
  },
];

async function deaths(stage: Stage): Promise<readonly EventRow[]> {
  return (await stage.engine.find({ of: "events", name: jobDiedName, limit: 100 }, stage.at)).rows;
}

function payloadOf(row: EventRow | undefined): JobDiedPayload {
  assert.ok(row);
  return JSON.parse(row.payload) as JobDiedPayload;
}
