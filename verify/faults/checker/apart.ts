/** Two stores on one server. */
import type { OwnInvariant } from "./ownLedger.ts";

export const apart: OwnInvariant = {
  id: "I24",
  name: "what is in one store is seen in no other one on its server, and does not run there",
  check: (ledger, found) => {
    const there = ledger.neighbours.filter(({ is }) => is === "neighbour-job");
    const asked = ledger.neighbours.filter(({ is }) => is === "neighbour-asked");
    const byName = new Map(there.map((job) => [job.n, job]));
    for (const { n, how, t = 0 } of asked) {
      const mayBeGone = ledger.losses.some(({ from, to }) => t >= from && t <= to);
      if (how === "ok" && !mayBeGone) found.look(byName.has(n), () => `${n} was acknowledged by the other store, and is not there`);
    }
    for (const { n, how, starts } of there) {
      found.look(n.startsWith("beside-"), () => `${n} is in the other store, and was handed in here`);
      found.look(how === "ready" && starts === 0, () => `${n} is ${how} in the other store, where nobody works`);
    }
    for (const what of ledger.strangers) found.look(false, () => `${what}, and belongs to the other store`);
  },
};
