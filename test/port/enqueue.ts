/** enqueue: atoms, ids, due times. Unique keys, lanes, events and notes have tables of their own. */
import assert from "node:assert/strict";
import type { NewWork } from "../../src/core/engine.ts";
import { event, job, start } from "./stage.ts";
import type { Case, JobOptions } from "./stage.ts";

const hour = 60 * 60 * 1_000;

/** Options of a new job, and what is stored. */
const dueRows: readonly { readonly options: JobOptions; readonly state: "ready" | "scheduled"; readonly dueAt: number; readonly urgency: number }[] = [
  { options: {}, state: "ready", dueAt: start, urgency: start },
  { options: { delayMs: 0 }, state: "ready", dueAt: start, urgency: start },
  { options: { delayMs: hour }, state: "scheduled", dueAt: start + hour, urgency: start + hour },
  { options: { delayMs: 1 }, state: "scheduled", dueAt: start + 1, urgency: start + 1 },
  { options: { dueAt: start + hour }, state: "scheduled", dueAt: start + hour, urgency: start + hour },
  { options: { dueAt: start - hour }, state: "ready", dueAt: start, urgency: start },
  { options: { dueAt: start }, state: "ready", dueAt: start, urgency: start },
  { options: { headStartMs: hour }, state: "ready", dueAt: start, urgency: start - hour },
  { options: { headStartMs: -hour }, state: "ready", dueAt: start, urgency: start + hour },
  { options: { headStartMs: hour, delayMs: 1_000 }, state: "scheduled", dueAt: start + 1_000, urgency: start + 1_000 - hour },
];

/** Works of an atom after `job("known")` and `event("known")`, and the code that refuses it. */
const refusedRows: readonly { readonly claim: string; readonly works: readonly NewWork[]; readonly code: string }[] = [
  { claim: "a known job id with other content", works: [job("known", { content: "other" })], code: "id-conflict" },
  { claim: "a known event id with other content", works: [event("known", { content: "other" })], code: "id-conflict" },
  { claim: "one conflict among good work", works: [job("new-1"), event("new-2"), job("known", { content: "other" })], code: "id-conflict" },
  { claim: "an id twice in one atom, with different content", works: [job("twice"), job("twice", { content: "other" })], code: "id-conflict" },
];

export const cases: readonly Case[] = [
  ...dueRows.map(({ options, state, dueAt, urgency }): Case => ({
    claim: `a job with ${JSON.stringify(options)} is ${state}`,
    run: async (stage) => {
      assert.deepEqual(await stage.enqueue(job("a", options)), [{ id: "a", isDuplicate: false, state }]);
      const row = await stage.row("a");
      assert.deepEqual([row.state, row.dueAt, row.urgency, row.enqueuedAt], [state, dueAt, urgency, start]);
    },
  })),
  ...refusedRows.map(({ claim, works, code }): Case => ({
    claim: `${claim} refuses the atom whole: ${code}`,
    run: async (stage) => {
      await stage.enqueue(job("known"), event("known"));
      assert.equal(await stage.refused({ works, notes: [{ key: "n", value: "1" }] }), code);
    },
  })),
  {
    claim: "the same id and content again is the same job, whatever else is said, and nothing changes",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      const before = await stage.row("a");
      stage.advance(1_000);
      assert.deepEqual(await stage.enqueue(job("a", { delayMs: hour, queue: "other" })), [{ id: "a", isDuplicate: true, state: "ready" }]);
      assert.deepEqual(await stage.row("a"), before);
    },
  },
  {
    claim: "an id is known also while its job runs and after it ended",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      await stage.claim();
      assert.deepEqual(await stage.enqueue(job("a")), [{ id: "a", isDuplicate: true, state: "running" }]);
      await stage.settle("a", "completed");
      assert.deepEqual(await stage.enqueue(job("a")), [{ id: "a", isDuplicate: true, state: "completed" }]);
      assert.equal(await stage.refused({ works: [job("a", { content: "other" })] }), "id-conflict");
    },
  },
  {
    claim: "an id twice in one atom is one job",
    run: async (stage) => {
      const answers = await stage.enqueue(job("a"), job("a"));
      assert.deepEqual(
        answers.map(({ id, isDuplicate }) => [id, isDuplicate]),
        [
          ["a", false],
          ["a", true],
        ],
      );
    },
  },
  {
    claim: "a job and an event may have the same id",
    run: async (stage) => {
      const answers = await stage.enqueue(job("a"), event("a"));
      assert.deepEqual(
        answers.map(({ isDuplicate }) => isDuplicate),
        [false, false],
      );
    },
  },
  {
    claim: "atoms of one call stand apart: one refused, its neighbours stored, the answers in order",
    run: async (stage) => {
      await stage.enqueue(job("known"));
      const answers = await stage.atoms({ works: [job("a")] }, { works: [job("b"), job("known", { content: "other" })] }, { works: [job("c")] });
      assert.deepEqual(
        answers.map((answer) => Array.isArray(answer)),
        [true, false, true],
      );
      assert.equal(await stage.states("a", "b", "c"), "ready unknown ready");
    },
  },
  {
    claim: "an empty atom is stored, and answers nothing",
    run: async (stage) => assert.deepEqual(await stage.enqueue(), []),
  },
  {
    claim: "500 works are one atom, answered in order",
    run: async (stage) => {
      const ids = Array.from({ length: 500 }, (_, index) => `job-${index}`);
      const answers = await stage.enqueue(...ids.map((id) => job(id)));
      assert.deepEqual(
        answers.map(({ id }) => id),
        ids,
      );
      assert.deepEqual(await stage.counts(), { "mail send ready": 500 });
    },
  },
  {
    claim: "the payload comes back as the text it was, and so does all else that is told",
    run: async (stage) => {
      const payload = '{ "b": 1,\n "a": "ü€😀\\u0000", "n": 1.0e3 }';
      const from = { event: "order.placed", eventId: "e", subscription: "s", isHop: true };
      await stage.enqueue(job("a", { payload, expecting: '{"version":7}', version: 3, from, slot: { schedule: "nightly", at: start - 5 } }));
      const row = await stage.row("a");
      assert.deepEqual([row.payload, row.expecting, row.version, row.from, row.slotAt], [payload, '{"version":7}', 3, from, start - 5]);
      const [claimed] = (await stage.claim()).jobs;
      assert.deepEqual(
        [claimed?.payload, claimed?.expecting, claimed?.version, claimed?.from, claimed?.slotAt],
        [payload, '{"version":7}', 3, from, start - 5],
      );
    },
  },
  {
    claim: "a startBy that passed before the enqueue is stored all the same, and then skipped",
    run: async (stage) => {
      await stage.enqueue(job("a", { startBy: start - 1 }));
      assert.deepEqual(await stage.claimIds(), []);
      assert.equal(await stage.state("a"), "skipped");
    },
  },
  {
    claim: "the store's time never goes back",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      stage.now = start - hour;
      await stage.enqueue(job("b"));
      assert.equal((await stage.row("b")).enqueuedAt, start);
      assert.equal((await stage.tidy()).now, start);
    },
  },
];
