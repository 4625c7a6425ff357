/**
 * Locks under faults (G17): processes that are held still, cut off and killed take turns at one store, and what they saw of it is linearizable. What they
 * protect loses updates where it trusts the lock alone, and none where it looks at the fence.
 */
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { onMemory, onSqlite } from "../../test/conformance/engines.ts";
import { planted } from "../../test/conformance/planted.ts";
import { tally } from "../tally.ts";
import type { Engine } from "../../src/core/engine.ts";
import { unexplained } from "./linearizable.ts";
import { live, type LifeOptions, type LifeStory } from "./life.ts";
import { lockSpecification } from "./lockSpecification.ts";

const firstSeed = Number(process.env["ERRAND_SEED"] ?? 1);
/** `npm run verify` asks for thousands of lives of other kinds, each much shorter than these. */
const share = Number(process.env["ERRAND_LIVES"] ?? 0) / 100;
const usual = { clients: 4, seconds: 180, permits: 2, faults: true } as const;

function seeds(least: number): number[] {
  return Array.from({ length: Math.max(least, Math.round(share)) }, (_, n) => firstSeed + n);
}

/** What is wrong with it; empty: nothing. */
function wrongs({ histories, complaints }: LifeStory): string[] {
  const stuck = [...histories].flatMap(([lock, history]) => {
    const ops = unexplained(history, lockSpecification);
    return ops === undefined ? [] : [`${lock}: ${JSON.stringify(ops.slice(-3))}`];
  });
  return [...complaints, ...stuck];
}

for (const { maker, least } of [
  { maker: onMemory, least: 6 },
  { maker: onSqlite, least: 2 },
]) {
  describe(`locks on ${maker.name}, with processes held still, cut off and killed`, () => {
    const counts = { lives: 0, grants: 0, losses: 0, guardedUpdates: 0 };
    const all = seeds(least);
    after(() => tally({ layer: "locks", engine: maker.name, seeds: `${firstSeed}..${firstSeed + all.length - 1}`, counts }));
    for (const seed of all) {
      it(`seed ${seed}: grants are linearizable, by the port's rules, and what looks at the fence loses nothing`, async (context) => {
        const story = await live({ ...usual, maker, seed });
        assert.deepEqual(wrongs(story), []);
        assert.equal(story.guarded.lost, 0);
        assert.ok(story.grants > 50 && story.guarded.made > 10);
        counts.lives += 1;
        counts.grants += story.grants;
        counts.losses += story.losses;
        counts.guardedUpdates += story.guarded.made;
        context.diagnostic(
          `${story.grants} grants, ${story.losses} lost; of ${story.unguarded.made} updates that trusted the lock alone ${story.unguarded.lost} are lost`,
        );
      });
    }
  });
}

describe("a lock does not protect what does not look at its fence", () => {
  it("an unguarded read-modify-write is seen to lose updates; one that looks at the fence before it reads is not", async () => {
    const lost = { unguarded: 0, guardedAtTheEnd: 0, guarded: 0 };
    for (let seed = 1; seed <= 12; seed++) {
      const story = await live({ ...usual, maker: onMemory, seed });
      for (const name of Object.keys(lost) as (keyof typeof lost)[]) lost[name] += story[name].lost;
    }
    assert.ok(lost.unguarded > 0, "no unguarded update was lost: the faults are too mild to tell");
    assert.equal(lost.guarded, 0);
    assert.ok(lost.guardedAtTheEnd < lost.unguarded);
  });

  it("without faults nothing is lost, guarded or not", async () => {
    const story = await live({ ...usual, maker: onMemory, seed: 1, faults: false });
    assert.deepEqual([story.unguarded.lost, story.guarded.lost, story.losses, wrongs(story)], [0, 0, 0, []]);
  });
});

type Distortion = (inner: Engine) => Partial<Engine>;

/** Each hides as well as it can. */
const bugs: readonly { readonly bug: string; readonly distortion: Distortion; readonly options?: Partial<LifeOptions> }[] = [
  { bug: "one too many may hold it", distortion: (inner) => ({ lock: (request, at) => inner.lock({ ...request, permits: (request.permits ?? 1) + 1 }, at) }) },
  {
    bug: "a writer comes in beside readers",
    distortion: (inner) => ({
      lock: (request, at) => inner.lock(request.mode === "write" && request.permits === 1 ? { ...request, mode: "read" } : request, at),
    }),
  },
  {
    bug: "fences fall now and then",
    distortion: (inner) => {
      let grants = 0;
      const given = new Map<string, number>();
      return {
        lock: (request, at) => {
          const answer = inner.lock(request, at);
          if (answer instanceof Promise || answer.is === "waiting") return answer;
          const fence = given.get(request.ticket) ?? (++grants % 10 === 0 ? answer.fence - 60_000_000 : answer.fence);
          given.set(request.ticket, fence);
          return { ...answer, fence };
        },
      };
    },
  },
  {
    bug: "the lease of a lock is a tenth",
    distortion: (inner) => ({
      lock: (request, at) => inner.lock({ ...request, leaseMs: request.leaseMs / 10 }, at),
      beat: (process, ms, at) => inner.beat(process, ms / 10, at),
    }),
  },
  {
    bug: "the last to come is the first to be served",
    distortion: (inner) => {
      const waiting = new Map<string, number>();
      return {
        lock: (request, at) => {
          const answer = inner.lock(request, at);
          if (answer instanceof Promise || answer.is === "granted") return answer;
          const asked = (waiting.get(request.ticket) ?? 0) + 1;
          waiting.set(request.ticket, asked);
          // Every third time it asks, it goes to the end of the line.
          if (asked % 3 === 0) void inner.unlock(request, at);
          return answer;
        },
      };
    },
  },
  {
    bug: "some that give it back keep it",
    distortion: (inner) => ({ unlock: (grant, at) => (grant.ticket.charCodeAt(grant.ticket.length - 1) % 5 === 0 ? true : inner.unlock(grant, at)) }),
  },
];

describe("the check is alive", () => {
  for (const { bug, distortion, options } of bugs) {
    it(`it finds that ${bug}`, async () => {
      let found: string[] = [];
      for (let seed = 1; seed <= 10 && found.length === 0; seed++)
        found = wrongs(await live({ ...usual, maker: planted(onMemory, distortion), seed, seconds: 60, ...options }));
      assert.notDeepEqual(found, []);
    });
  }
});
