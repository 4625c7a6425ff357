/** What guards and skips did: read from the jobs and the app's books. */
import type { Database } from "../stage/database.ts";
import type { Broker } from "./errand.ts";

export interface GuardsAtWork {
  /** Jobs that ended, in all. */
  readonly jobs: number;
  /** Charges that were not made, and why. */
  readonly closed: number;
  readonly noCard: number;
  readonly nothingDue: number;
  /** Charged what was due after a credit. */
  readonly lowered: number;
  /** Invoiced and charged anew, in the currency the customer changed to. */
  readonly invoicedAnew: number;
  /** Attempts of charges beyond the first. */
  readonly retries: number;
}

export async function guardsAtWork(work: Broker, database: Database): Promise<GuardsAtWork> {
  const { completed, skipped, cancelled, dead } = await work.count();
  const counted = (sql: string): number => (database.prepare(sql).get() as { readonly count: number }).count;
  let [closed, noCard, nothingDue, retries] = [0, 0, 0, 0];
  for (let after: string | undefined, isFirst = true; isFirst || after !== undefined; isFirst = false) {
    const page = await work.list({ task: "charge" }, { limit: 1_000, ...(after !== undefined && { after }) });
    for (const { state, reason = "", attempts } of page.jobs) {
      retries += Math.max(0, attempts - 1);
      if (state !== "skipped") continue;
      if (reason.includes("account")) closed += 1;
      else if (reason.includes("card")) noCard += 1;
      else if (reason.includes("nothing")) nothingDue += 1;
    }
    after = page.next;
  }
  return {
    jobs: completed + skipped + cancelled + dead,
    closed,
    noCard,
    nothingDue,
    lowered: counted("SELECT count(*) AS count FROM payments p JOIN invoices i ON i.id = p.invoice_id WHERE p.state = 'captured' AND i.version > 1"),
    invoicedAnew: counted("SELECT count(*) AS count FROM invoices WHERE revision > 1"),
    retries,
  };
}
