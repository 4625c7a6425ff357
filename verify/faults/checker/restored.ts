/** What the app's own table says is to be done. */
import type { OwnInvariant } from "./ownLedger.ts";

export const restoredAll: OwnInvariant = {
  id: "I22",
  name: "each row of the app's is done in the end, also where the store forgot its job",
  check: (ledger, found) => {
    // One that faults made look like poison is dead, and nobody tries it again by himself.
    const aside = new Set(ledger.of("restored").flatMap(({ n, isPoison }) => (isPoison ? [n] : [])));
    for (const { n } of ledger.rows) found.look(ledger.did.has(n) || aside.has(n), () => `${n} is not done`);
  },
};

export const notRedone: OwnInvariant = {
  id: "I22",
  name: "a row that is done is not begun again",
  check: (ledger, found) => {
    const starts = Map.groupBy(ledger.starts.get("restored") ?? [], ({ n }) => n);
    const asked = new Set(ledger.rows.map(({ n }) => n));
    for (const [n, [done = Number.POSITIVE_INFINITY]] of ledger.did) {
      const late = starts.get(n)?.find(({ t }) => t > done);
      found.look(
        late === undefined && asked.has(n),
        () => `${n} ${asked.has(n) ? `was done, and began again in ${late?.p}` : "was done, and nobody asked for it"}`,
      );
    }
  },
};
