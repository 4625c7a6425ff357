/** What goes wrong at the store, by the port, and by which invariant a simulated life sees it. */
import type { Claimed, Engine, Outcome } from "../../src/core/engine.ts";
import { jobs, type Distortion } from "../../test/conformance/planted.ts";

export interface Bug {
  readonly name: string;
  readonly distortion: Distortion;
  readonly caughtAs: string;
}

/** Each call of its own kind is counted: every so-many-th goes wrong. */
function everyTenth(): () => boolean {
  let calls = 0;
  return () => ++calls % 10 === 0;
}

const claimedWith =
  (change: (claimed: Claimed) => Claimed): Distortion =>
  (inner) => ({ claim: async (wanted, at) => change(await inner.claim(wanted, at)) });

const settling =
  (change: (outcomes: readonly Outcome[]) => readonly Outcome[]): Distortion =>
  (inner) => ({
    settle: (outcomes, at) => inner.settle(change(outcomes), at),
    claim: (wanted, at) => inner.claim({ ...wanted, settling: change(wanted.settling) }, at),
  });

function losing(inner: Engine): Partial<Engine> {
  const isLost = everyTenth();
  return {
    enqueue: async (atoms, at) => {
      const only = atoms.length === 1 && atoms[0]?.works.length === 1 ? atoms[0].works[0] : undefined;
      if (only?.kind !== "job" || only.join !== undefined || !isLost()) return inner.enqueue(atoms, at);
      return [[{ id: only.id, isDuplicate: false, state: "ready" }]];
    },
  };
}

export const bugs: readonly Bug[] = [
  { name: "every tenth job is acknowledged and not stored", distortion: losing, caughtAs: "I1" },
  { name: "fences stand still", distortion: claimedWith((claimed) => ({ ...claimed, fence: 1 })), caughtAs: "I4" },
  {
    name: "leases are not renewed, and jobs are taken back all the same",
    distortion: (inner) => ({ beat: (process, _leaseMs, at) => inner.beat(process, 1, at) }),
    caughtAs: "I5",
  },
  {
    name: "delays are forgotten where a run asks for one",
    distortion: settling((outcomes) => outcomes.map((one) => ({ ...one, delayMs: 0 }))),
    caughtAs: "I12",
  },
  { name: "lanes do not hold", distortion: jobs(({ lane: _, ...job }) => job), caughtAs: "I6" },
  {
    name: "limits of tasks are not asked for",
    distortion: (inner) => ({ claim: ({ terms: _, ...wanted }, at) => inner.claim(wanted, at) }),
    caughtAs: "I14",
  },
  { name: "unique keys do not hold", distortion: jobs(({ unique: _, ...job }) => job), caughtAs: "I10" },
  {
    name: "what a run hands in is dropped",
    distortion: settling((outcomes) => outcomes.map(({ follow: _, ...one }) => one)),
    caughtAs: "I8",
  },
  { name: "nobody's jobs are taken back", distortion: (inner) => ({ tidy: (pass, at) => inner.tidy({ ...pass, mayExpire: false }, at) }), caughtAs: "I21" },
  {
    name: "a completion is answered as settled and not written",
    distortion: (inner) => {
      const isDropped = everyTenth();
      return {
        claim: async (wanted, at) => {
          const kept = wanted.settling.filter(({ is }) => is !== "completed" || !isDropped());
          const claimed = await inner.claim({ ...wanted, settling: kept }, at);
          const settled = wanted.settling.map(
            ({ id }) => claimed.settled.find((one) => one.id === id) ?? { id, is: "settled" as const, state: "completed" as const },
          );
          return { ...claimed, settled };
        },
      };
    },
    caughtAs: "I3",
  },
];
