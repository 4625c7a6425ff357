/** Locks with fences (G17). */
import assert from "node:assert/strict";
import type { Grant, LockRequest, Waiting } from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import { leaseMs } from "./stage.ts";
import type { Case, Stage } from "./stage.ts";

/** Steps in order: a ticket asks ("r1": a reader, "w1": a writer) and is granted (true) or waits behind so many; "-r1" is unlocked. */
type Step = readonly [ticket: string, answer: true | number] | readonly [unlocked: string];

const scripts: readonly { readonly claim: string; readonly permits?: number; readonly steps: readonly Step[] }[] = [
  { claim: "one writer at a time", steps: [["w1", true], ["w2", 1], ["w3", 2], ["w2", 1], ["-w1"], ["w3", 1], ["w2", true], ["-w2"], ["w3", true]] },
  {
    claim: "readers share",
    steps: [
      ["r1", true],
      ["r2", true],
      ["r3", true],
    ],
  },
  { claim: "a writer waits for all readers", steps: [["r1", true], ["r2", true], ["w1", 2], ["-r1"], ["w1", 1], ["-r2"], ["w1", true]] },
  { claim: "readers wait for the writer", steps: [["w1", true], ["r1", 1], ["r2", 1], ["-w1"], ["r2", true], ["r1", true]] },
  {
    claim: "a waiting writer lets no later reader pass",
    steps: [["r1", true], ["w1", 1], ["r2", 1], ["r3", 1], ["-r1"], ["r2", 1], ["w1", true], ["-w1"], ["r3", true], ["r2", true]],
  },
  {
    claim: "writers go in the order of their tickets, also if a later one asks first",
    steps: [["w1", true], ["w2", 1], ["w3", 2], ["-w1"], ["w3", 1], ["w2", true]],
  },
  { claim: "one that gives up its place lets those behind it come up", steps: [["w1", true], ["w2", 1], ["w3", 2], ["-w2"], ["w3", 1], ["-w1"], ["w3", true]] },
  {
    claim: "a semaphore of two",
    permits: 2,
    steps: [["w1", true], ["w2", true], ["w3", 1], ["w4", 2], ["-w2"], ["w3", true], ["w4", 1], ["-w1"], ["w4", true]],
  },
  {
    claim: "asking again keeps the place, and keeps a grant",
    steps: [
      ["w1", true],
      ["w1", true],
      ["w2", 1],
      ["w2", 1],
      ["w1", true],
    ],
  },
];

export const cases: readonly Case[] = [
  ...scripts.map(({ claim, permits, steps }): Case => ({
    claim,
    run: async (stage) => {
      for (const [index, [ticket, answer]] of steps.entries()) {
        const where = `step ${index}: ${ticket}`;
        if (answer === undefined) assert.equal(await unlock(stage, ticket.slice(1)), true, where);
        else {
          const got = await ask(stage, ticket, permits === undefined ? {} : { permits });
          assert.deepEqual(got.is === "granted" ? true : got.ahead, answer, where);
        }
      }
    },
  })),
  {
    claim: "every grant's fence is above all before, and above the largest that its process knows; asking again answers the same",
    run: async (stage) => {
      const first = await fenceOf(stage, "w1");
      assert.equal(await fenceOf(stage, "w1"), first);
      await unlock(stage, "w1");
      const second = await fenceOf(stage, "w2", { lastFence: first + 1_000_000 });
      assert.ok(second > first + 1_000_000);
      await unlock(stage, "w2");
      assert.ok((await fenceOf(stage, "w3")) > second);
      assert.ok((await stage.claim()).fence > second);
    },
  },
  {
    claim: "unlocking what is not held answers false",
    run: async (stage) => {
      assert.equal(await unlock(stage, "nobody"), false);
      await ask(stage, "w1");
      assert.equal(await unlock(stage, "w1"), true);
      assert.equal(await unlock(stage, "w1"), false);
    },
  },
  {
    claim: "a lock lives as long as its process beats; an expired process's grants and places are free",
    run: async (stage) => {
      await ask(stage, "w1", { process: "p1" });
      await ask(stage, "w2", { process: "p2" });
      await ask(stage, "w3", { process: "p3" });
      for (let beat = 0; beat < 3; beat += 1) {
        stage.advance(leaseMs - 1);
        assert.equal((await stage.beat("p1")).isLost, false);
        assert.equal((await stage.beat("p3")).isLost, false);
        await stage.tidy();
      }
      assert.equal(((await ask(stage, "w3", { process: "p3" })) as Waiting).ahead, 1);
      stage.advance(leaseMs - 1);
      await stage.beat("p3");
      stage.advance(2);
      await stage.tidy();
      assert.equal((await ask(stage, "w3", { process: "p3" })).is, "granted");
      assert.equal((await stage.beat("p1")).isLost, true);
    },
  },
  {
    claim: "a writer that names other permits than those in the line is refused, and leaves no ticket; readers have none, and the next line may have others",
    run: async (stage) => {
      await ask(stage, "w1", { permits: 2 });
      await ask(stage, "r1");
      for (const [ticket, permits] of [
        ["w2", 1],
        ["w2", 3],
        ["w2", undefined],
        ["w1", 3],
      ] as const)
        await assert.rejects(
          async () => ask(stage, ticket, permits === undefined ? {} : { permits }),
          (error) => ErrandError.is(error, "permits-conflict") && error.isDefinite,
        );
      assert.equal((await ask(stage, "w1", { permits: 2 })).is, "granted");
      assert.equal((await stage.engine.find({ of: "locks", limit: 10 }, stage.at)).rows.length, 2);
      await unlock(stage, "w1");
      assert.deepEqual(await ask(stage, "w2", { permits: 3 }), { is: "waiting", ahead: 1, now: stage.at.now });
      await unlock(stage, "r1");
      assert.equal((await ask(stage, "w2", { permits: 3 })).is, "granted");
    },
  },
  {
    claim: "locks of other names do not wait for each other",
    run: async (stage) => {
      for (const name of ["x", "y"]) assert.equal((await ask(stage, `w ${name}`, { name })).is, "granted");
    },
  },
  {
    claim: "locks are listed: who holds, who waits, with fences",
    run: async (stage) => {
      const fence = await fenceOf(stage, "w1");
      await ask(stage, "r1", { process: "p2" });
      const { rows } = await stage.engine.find({ of: "locks", limit: 10 }, stage.at);
      assert.deepEqual(
        rows.map(({ name, mode, ticket, process, isGranted }) => [name, mode, ticket, process, isGranted]),
        [
          ["catalogue", "write", "w1", "p1", true],
          ["catalogue", "read", "r1", "p2", false],
        ],
      );
      assert.equal(rows[0]?.fence, fence);
    },
  },
];

async function ask(stage: Stage, ticket: string, options: Partial<LockRequest> = {}): Promise<Grant | Waiting> {
  const mode = ticket.startsWith("r") ? "read" : "write";
  return stage.engine.lock({ name: "catalogue", mode, process: "p1", ticket, leaseMs, lastFence: 0, ...options }, stage.at);
}

async function fenceOf(stage: Stage, ticket: string, options: Partial<LockRequest> = {}): Promise<number> {
  const grant = await ask(stage, ticket, options);
  assert.ok(grant.is === "granted");
  return grant.fence;
}

async function unlock(stage: Stage, ticket: string): Promise<boolean> {
  return stage.engine.unlock({ name: "catalogue", ticket }, stage.at);
}
