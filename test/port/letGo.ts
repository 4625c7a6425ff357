/** Whatever verb ends what a job waits for, the job goes on in that verb: wherever it can go on to. */
import assert from "node:assert/strict";
import type { JobState } from "../../src/core/states.ts";
import { job, join, member, start } from "./stage.ts";
import type { Case, JobOptions, Stage } from "./stage.ts";

/** Something with id "p" that stands, and that one verb ends. */
interface Ending {
  readonly verb: "settle" | "tidy" | "claim" | "change" | "enqueue";
  readonly ended: "well" | "badly";
  readonly stand: (stage: Stage) => Promise<unknown>;
  readonly end: (stage: Stage) => Promise<unknown>;
}

/** Is skipped, by claim or tidy, once a millisecond has passed. */
const late: JobOptions = { startWithinMs: 0 };
/** A join whose last member is late, and that has failed already. */
const failing = async (stage: Stage): Promise<void> => {
  await stage.enqueue(join("p"), job("failed", { join: "p" }), job("late", { join: "p", ...late }));
  await stage.cancel("failed");
};
const staged = async (stage: Stage): Promise<void> => {
  await stage.enqueue(join("p", { isSealed: false }), job("failed", { join: "p" }));
  await stage.cancel("failed");
};
const claimNothing = (stage: Stage): Promise<unknown> => stage.claim({ slots: 0 });

const endings: readonly Ending[] = [
  { verb: "settle", ended: "well", stand: claimed, end: (stage) => stage.settle("p", "completed") },
  { verb: "settle", ended: "badly", stand: claimed, end: (stage) => stage.settle("p", "dead") },
  { verb: "change", ended: "badly", stand: (stage) => stage.enqueue(job("p", { delayMs: 9_999 })), end: (stage) => stage.cancel("p") },
  { verb: "claim", ended: "well", stand: (stage) => stage.enqueue(job("p", late)), end: claimNothing },
  { verb: "claim", ended: "badly", stand: failing, end: claimNothing },
  { verb: "tidy", ended: "well", stand: (stage) => stage.enqueue(job("p", late)), end: (stage) => stage.tidy() },
  { verb: "tidy", ended: "badly", stand: failing, end: (stage) => stage.tidy() },
  { verb: "enqueue", ended: "well", stand: (stage) => stage.enqueue(join("p", { isSealed: false })), end: (stage) => stage.enqueue(join("p")) },
  { verb: "enqueue", ended: "badly", stand: staged, end: (stage) => stage.enqueue(join("p")) },
];

const inLane: JobOptions = { lane: { key: 'send["k"]', width: 1, ifDead: "park" } };
const limited: JobOptions = { keyLimits: [{ key: "k", is: { running: 1 } }] };

/** What stands in its way besides, and its state when it is let go. */
const goals: readonly {
  readonly claim: string;
  readonly before?: (stage: Stage) => Promise<unknown>;
  readonly options?: JobOptions;
  readonly state: JobState;
  readonly waits?: string;
}[] = [
  { claim: "nothing else: it is ready", state: "ready", waits: "worker" },
  { claim: "a free lane: it is admitted", options: inLane, state: "ready", waits: "worker" },
  { claim: "room under its limit: it is ready", options: limited, state: "ready", waits: "worker" },
  { claim: "its delay: it is scheduled", options: { delayMs: 50 }, state: "scheduled", waits: "time" },
  { claim: "its lane: it is blocked", before: (stage) => stage.enqueue(member("ahead", "park")), options: inLane, state: "blocked", waits: "key" },
  { claim: "its limit: it is blocked", before: (stage) => stage.enqueue(job("ahead", limited)), options: limited, state: "blocked", waits: "limit" },
  { claim: "its startBy: it is skipped", options: { startBy: start }, state: "skipped" },
  {
    claim: "a closed lane: it is parked",
    before: async (stage) => {
      await stage.enqueue(member("dies", "park", { headStartMs: 99 }));
      await stage.claim({ slots: 1 });
      await stage.settle("dies", "dead");
    },
    options: inLane,
    state: "parked",
    waits: "parked",
  },
];

export const cases: readonly Case[] = [
  ...endings.flatMap(({ verb, ended, stand, end }) =>
    goals.map(({ claim, before, options, state, waits }): Case => ({
      claim: `${verb} ends (${ended}) what it comes after, and in its way stands ${claim}`,
      run: async (stage) => {
        await before?.(stage);
        await stand(stage);
        await stage.enqueue(job("a", { after: [{ id: "p", when: "ended" }], ...options }));
        assert.equal((await stage.row("a")).waits?.reason, "after");
        stage.advance(1);
        await end(stage);
        const row = await stage.row("a");
        assert.deepEqual([row.state, row.waits?.reason], [state, waits]);
        if (waits === "key" || waits === "limit") assert.equal(row.waits?.since, start + 1);
      },
    })),
  ),
  ...endings.map(({ verb, ended, stand, end }): Case => {
    const then = ended === "well" ? "skipped" : "cancelled";
    return {
      claim: `${verb} ends (${ended}) what it comes after, otherwise than asked: it is ${then}`,
      run: async (stage) => {
        await stand(stage);
        await stage.enqueue(job("a", { after: [{ id: "p", when: ended === "well" ? "badly" : "well" }] }), job("b", { after: [{ id: "a", when: "ended" }] }));
        stage.advance(1);
        await end(stage);
        assert.equal(await stage.states("a", "b"), `${then} ready`);
      },
    };
  }),
  ...(["settle", "claim"] as const).map((verb): Case => ({
    claim: `a member of an opened lane that is not sorted back yet is admitted by ${verb}, and has no room under its limit: it is blocked`,
    run: async (stage) => {
      await stage.enqueue(job("holds", limited));
      await stage.enqueue(member("dies", "park"), member("next", "park", late), member("a", "park", limited));
      await stage.claim();
      await stage.settle("dies", "dead");
      await stage.tidy();
      // Opened, with one of its members sorted back.
      await stage.retry("dies", 1);
      assert.equal(await stage.states("dies", "next", "a"), "ready blocked parked");
      await stage.claim();
      stage.advance(1);
      const end = stage.outcome("dies", "completed");
      if (verb === "settle") await stage.settleAll(end);
      else await stage.claim({ settling: [end] });
      assert.equal(await stage.states("dies", "next", "a"), "completed skipped blocked");
      assert.equal((await stage.row("a")).waits?.reason, "limit");
    },
  })),
];

async function claimed(stage: Stage): Promise<void> {
  await stage.enqueue(job("p", { headStartMs: 999 }));
  await stage.claim({ slots: 1 });
}
