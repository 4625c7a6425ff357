/** Planted bugs of long jobs, and the laws that must go red for them. */
import type { Outcome, Settled } from "../../src/core/engine.ts";
import type { Bug } from "./bugs.ts";
import * as plant from "./planted.ts";

const isSave = ({ is }: Outcome): boolean => is === "saved";

export const longBugs: readonly Bug[] = [
  {
    name: "what is saved is forgotten",
    distortion: (inner) => ({
      settle: async (outcomes, at) => {
        const rest = await inner.settle(
          outcomes.filter((outcome) => !isSave(outcome)),
          at,
        );
        return outcomes.map((outcome): Settled =>
          isSave(outcome)
            ? { id: outcome.id, is: "settled", state: "running" }
            : (rest.find(({ id }) => id === outcome.id) ?? { id: outcome.id, is: "lease-lost" }),
        );
      },
    }),
    caughtBy: [
      "after a failure the next run goes on from what was saved last",
      "after a crash the next run goes on from what was saved last",
      "a step that was done is not repeated after a crash; its result is there",
      "a loop whose process dies goes on at the last saved place: no item is left out, and few are done twice",
    ],
  },
  {
    name: "progress that comes along with an outcome is forgotten",
    distortion: plant.outcomes((outcome) => (isSave(outcome) ? outcome : plant.without(outcome, "checkpoint"))),
    caughtBy: [
      "a loop that fails goes on behind its last item",
      "a loop hands its job back between two items when the worker stops, and goes on elsewhere behind the last one",
    ],
  },
  {
    name: "only the first save counts",
    distortion: (inner) => {
      const saved = new Set<string>();
      return plant.outcomes((outcome) => {
        if (!isSave(outcome)) return outcome;
        const isFirst = !saved.has(outcome.claim + outcome.id);
        saved.add(outcome.claim + outcome.id);
        return isFirst ? outcome : plant.without(outcome, "checkpoint");
      })(inner);
    },
    caughtBy: ["after a crash the next run goes on from what was saved last", "a save waits for a store that is away, and is stored when it is back"],
  },
  {
    name: "a save of a lease that was lost is taken",
    distortion: plant.settlesWhatWasLost,
    caughtBy: ["a run that was taken over cannot save: it is told, its signal fires, and what its heir saved stands"],
  },
  {
    name: "a save gives the job back",
    distortion: plant.outcomes((outcome) => (isSave(outcome) ? { ...outcome, is: "released" } : outcome)),
    caughtBy: ["a run that saves for long keeps its lease"],
  },
  {
    name: "a first attempt is given no checkpoint",
    distortion: (inner) => ({
      claim: async (wanted, at) => {
        const claimed = await inner.claim(wanted, at);
        return { ...claimed, jobs: claimed.jobs.map((job) => (job.attempt === 1 ? plant.without(job, "checkpoint") : job)) };
      },
    }),
    caughtBy: ["a dead job that is redriven goes on from what it saved", "a graceful stop keeps what was saved, and charges nothing"],
  },
];
