/** For each scope of core a bug that it must go red for: of the store, as core's parts meet it. */
import type { Atom } from "../../src/core/engine.ts";
import type { Distortion } from "../../test/conformance/planted.ts";
import type { PlantedBug } from "./bugs.ts";
import { forgetsWhatWasMoved } from "./relaying.ts";

/** Who writes a note last wins, whatever he had read; and slots get ids of their own, so that none is known. */
const writesOverOthers: Distortion = (inner) => {
  let made = 0;
  return {
    enqueue: (atoms, at) =>
      inner.enqueue(
        atoms.map((atom): Atom => ({
          works: atom.works.map((work) => ({ ...work, id: `${work.id}-${made++}` })),
          notes: (atom.notes ?? []).map(({ ifVersion: _, ...note }) => note),
        })),
        at,
      ),
  };
};

/** Every lock is granted at once, and given back by nobody. */
const grantsToAll: Distortion = (inner) => ({
  lock: (request, at) => inner.lock({ ...request, name: `${request.name} of ${request.process}` }, at),
  unlock: ({ name, ticket }, at) => inner.unlock({ name: `${name} of nobody`, ticket }, at),
});

const schedules = ["nothing else", "an edit", "its removal", "a new definition"].map((name): PlantedBug => ({
  scope: `schedule ticks against ${name}`,
  bug: "whoever writes last wins",
  distortion: writesOverOthers,
  caughtAs: "G12",
}));

export const coreBugs: readonly PlantedBug[] = [
  ...schedules,
  { scope: "a lock is held, renewed and given back", bug: "everybody is granted it", distortion: grantsToAll, caughtAs: "G17" },
  { scope: "leaders of two brokers", bug: "everybody leads", distortion: grantsToAll, caughtAs: "G17" },
  { scope: "an outbox and two relays", bug: "a batch that was moved is forgotten", distortion: forgetsWhatWasMoved, caughtAs: "G1" },
];
