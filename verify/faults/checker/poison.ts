/** Jobs that kill their process. */
import { deathsAloneMax, suspectsBeforeAlone } from "../../../src/core/defaults.ts";
import type { OwnInvariant } from "./ownLedger.ts";

/** Who was killed from outside is tried once more; so is one whose child the system may have killed, which looks for other eaters of memory first. */
const deathsMost = suspectsBeforeAlone + deathsAloneMax;
/** A worker hears of what was done to the others with their leases. */
const heardWithinMs = 10_000;

export const poisonPutAside: OwnInvariant = {
  id: "I13",
  name: "a job that kills its process is put aside after a few deaths",
  check: (ledger, found) => {
    const starts = Map.groupBy(ledger.starts.get("poison") ?? [], ({ n }) => n);
    for (const { n, state, isPoison } of ledger.of("poison")) {
      if (ledger.mayBeForgotten(n)) continue;
      const runs = starts.get(n) ?? [];
      const times = runs.map(({ t }) => t);
      const disturbed = new Set(runs.flatMap(({ p }) => ledger.faultsWithin(p, Math.min(...times), Math.max(...times) + heardWithinMs)));
      const outside = [...disturbed].filter((fault) => !("by" in fault && fault.by === "poison")).length;
      found.look(state === "dead" && isPoison, () => `${n} kills its process, and is ${state}${isPoison ? "" : ", not put aside"}`);
      found.look(runs.length <= deathsMost + outside, () => `${n} killed ${runs.length} processes, and ${outside} faults came between`);
    }
  },
};

export const toldOfDeaths: OwnInvariant = {
  id: "I13",
  name: "of each death, also by poison, the app is told once",
  check: (ledger, found) => {
    const told = Map.groupBy(ledger.alerts, ({ of }) => of);
    for (const { n, id, kind, state } of ledger.jobs) {
      if (state !== "dead" || kind === "alert" || ledger.mayBeForgotten(n)) continue;
      const alerts = told.get(id)?.length ?? 0;
      found.look(alerts === 1, () => `of the death of ${n} the app was told ${alerts} times`);
    }
  },
};
