/** The terms of a claim beside room: nothing held ahead, at most so many of a task, and fresh work beside a backlog. */
import assert from "node:assert/strict";
import type { Claim, ClaimQueue, NewJob, TaskTerms } from "../../src/core/engine.ts";
import { limitKey } from "../../src/core/notes.ts";
import { job, start } from "./stage.ts";
import type { Case, JobOptions, Stage } from "./stage.ts";

type Wanted = Parameters<Stage["claim"]>[0];

function jobs(count: number, prefix = "a", options: JobOptions = {}): NewJob[] {
  return Array.from({ length: count }, (_, index) => job(`${prefix}${index}`, options));
}

/** Terms of task "send". */
function send(terms: TaskTerms, wanted: Wanted = {}): Wanted {
  return { terms: { send: terms }, ...wanted };
}

const mail: ClaimQueue = { queue: "mail", slots: 1, ahead: 3 };

/** One slot and three ahead; what is ready, by urgency; and what is handed out. */
const aheadRows: readonly {
  readonly claim: string;
  readonly works: readonly NewJob[];
  readonly terms: NonNullable<Claim["terms"]>;
  readonly ids: readonly string[];
}[] = [
  { claim: "a gated job is never held ahead", works: jobs(3), terms: { send: { gates: ["free"] } }, ids: ["a0"] },
  { claim: "a job that needs something is never held ahead", works: jobs(3), terms: { send: { needs: { gpu: 1 } } }, ids: ["a0"] },
  {
    claim: "handing out of a queue stops before a gated job once its slots are filled",
    works: [job("a"), job("gated", { task: "print" }), job("b")],
    terms: { print: { gates: ["free"] } },
    ids: ["a"],
  },
  { claim: "`most` alone is no gate", works: jobs(5), terms: { send: { most: 3 } }, ids: ["a0", "a1", "a2"] },
  { claim: "`freshFrom` alone is no gate", works: jobs(5), terms: { send: { freshFrom: 0 } }, ids: ["a0", "a1", "a2", "a3"] },
  { claim: "terms of other tasks change nothing", works: jobs(5), terms: { print: { gates: ["api"] } }, ids: ["a0", "a1", "a2", "a3"] },
  {
    claim: "a full task is passed over, also ahead",
    works: [job("a"), job("full", { task: "print" }), job("b")],
    terms: { print: { needs: { none: 1 } } },
    ids: ["a", "b"],
  },
];

/** The urgency of each job, less `start`; fresh from 0 on. */
const freshRows: readonly { readonly claim: string; readonly works: readonly NewJob[]; readonly wanted: Wanted; readonly ids: readonly string[] }[] = [
  {
    claim: "every second one is fresh, beginning with the first; each the most urgent of its kind",
    works: [...jobs(3, "old", { headStartMs: 100 }), job("fresh0"), job("fresh1"), job("soonest fresh", { headStartMs: 0 })],
    wanted: { slots: 5 },
    ids: ["fresh0", "old0", "fresh1", "old1", "soonest fresh"],
  },
  {
    claim: "where there is no fresh one left, the backlog goes on",
    works: [...jobs(3, "old", { headStartMs: 100 }), job("fresh")],
    wanted: {},
    ids: ["fresh", "old0", "old1", "old2"],
  },
  {
    claim: "where there is no backlog left, fresh ones go on",
    works: [...jobs(3, "fresh"), job("old", { headStartMs: 1 })],
    wanted: {},
    ids: ["fresh0", "old", "fresh1", "fresh2"],
  },
  {
    claim: "fresh ones of any queue go before the backlog of another, while there are any",
    works: [...jobs(2, "old", { headStartMs: 100 }), ...jobs(2, "fresh", { queue: "paper" })],
    wanted: { queues: ["mail", "paper"].map((queue) => ({ queue, slots: 9, ahead: 0 })) },
    ids: ["fresh0", "old0", "fresh1", "old1"],
  },
  {
    claim: "a full queue's fresh work keeps nobody from going on",
    works: [...jobs(3, "old", { headStartMs: 100 }), ...jobs(3, "fresh", { queue: "paper" })],
    wanted: {
      queues: [
        { queue: "mail", slots: 3, ahead: 0 },
        { queue: "paper", slots: 1, ahead: 0 },
      ],
    },
    ids: ["fresh0", "old0", "old1", "old2"],
  },
  {
    claim: "it counts by task over all queues of the call, and leaves other tasks alone",
    works: [
      ...jobs(2, "mail old", { headStartMs: 100 }),
      ...jobs(2, "mail fresh"),
      ...jobs(2, "paper old", { headStartMs: 50, queue: "paper" }),
      ...jobs(2, "paper fresh", { queue: "paper" }),
      job("print old", { task: "print", headStartMs: 100 }),
    ],
    wanted: { queues: ["mail", "paper"].map((queue) => ({ queue, slots: 9, ahead: 0 })), tasks: ["send", "print"] },
    ids: ["print old", "mail fresh0", "mail old0", "mail fresh1", "mail old1", "paper fresh0", "paper old0", "paper fresh1", "paper old1"],
  },
];

export const cases: readonly Case[] = [
  ...aheadRows.map(({ claim, works, terms, ids }): Case => ({
    claim,
    run: async (stage) => {
      await stage.resource("gpu", 9);
      await stage.write({ key: limitKey("api"), value: '{"running":0}' });
      await stage.enqueue(...works);
      assert.deepEqual(await stage.claimIds({ queues: [mail], tasks: ["send", "print"], terms }), ids);
    },
  })),
  ...freshRows.map(({ claim, works, wanted, ids }): Case => ({
    claim: `fresh work: ${claim}`,
    run: async (stage) => {
      await stage.enqueue(...works);
      assert.deepEqual(await stage.claimIds(send({ freshFrom: start }, wanted)), ids);
    },
  })),
  {
    claim: "`most` bounds a task in one call, over all queues",
    run: async (stage) => {
      await stage.enqueue(...jobs(3), ...jobs(3, "b", { queue: "paper" }), job("c", { task: "print" }));
      const queues = ["mail", "paper"].map((queue) => ({ queue, slots: 9, ahead: 0 }));
      assert.deepEqual(await stage.claimIds({ queues, tasks: ["send", "print"], terms: { send: { most: 2 } } }), ["a0", "a1", "c"]);
      assert.deepEqual(await stage.claimIds({ queues, terms: { send: { most: 0 } } }), []);
      assert.deepEqual(await stage.claimIds({ queues, terms: { send: { most: 1 } } }), ["a2"]);
    },
  },
  {
    claim: "a backlog of 5,000 costs fresh work nothing",
    run: async (stage) => {
      for (let atom = 0; atom < 10; atom += 1) await stage.enqueue(...jobs(500, `${atom}-`, { headStartMs: 9 }));
      await stage.enqueue(job("fresh"));
      assert.deepEqual(await stage.claimIds(send({ freshFrom: start }, { slots: 2 })), ["fresh", "0-0"]);
    },
  },
  {
    claim: "gates bound what runs alone too",
    run: async (stage) => {
      await stage.limit("api", { running: 0 });
      await stage.enqueue(job("a"));
      for (const process of ["p1", "p2"]) {
        await stage.claim({ process });
        await stage.crash();
      }
      assert.deepEqual(await stage.claimIds(send({ gates: ["api"] }, { process: "q", alone: "only" })), []);
      await stage.limit("api", { running: 1 });
      assert.deepEqual(await stage.claimIds(send({ gates: ["api"] }, { process: "q", alone: "only" })), ["a"]);
    },
  },
];
