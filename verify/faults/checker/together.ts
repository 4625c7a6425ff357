/** The app's transactions. */
import type { OwnInvariant } from "./ownLedger.ts";

export const together: OwnInvariant = {
  id: "I2",
  name: "a job that a transaction handed in is there if and only if the transaction's row is; one that was acknowledged has its row, one taken back has none",
  check: (ledger, found) => {
    const stored = new Set(ledger.of("within").map(({ n }) => n));
    for (const { n, answers } of ledger.asked.get("within")?.values() ?? []) {
      const [row, job] = [ledger.appRows.has(n), stored.has(n)];
      found.look(row === job, () => `${n} has ${row ? "its row, and no job" : "a job, and no row"}`);
      const [answer] = answers;
      if (answer === undefined || answer.is === "info" || (answer.is === "ok" && ledger.mayBeForgotten(n))) continue;
      found.look(row === (answer.is === "ok"), () => `${n} was ${answer.is === "ok" ? "committed, and its row is gone" : "taken back, and its row is there"}`);
    }
  },
};
