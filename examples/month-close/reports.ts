/** What the month came to, by currency: written once, when all of it is done. */
import type { Database, Statement } from "../stage/database.ts";
import { now } from "./clock.ts";
import type { Currency } from "./currencies.ts";

export interface ReportLine {
  readonly currency: Currency;
  readonly state: string;
  readonly invoices: number;
  readonly amount: number;
}

export class Reports {
  readonly #lines: Statement;
  readonly #write: Statement;
  readonly #of: Statement;

  constructor(database: Database) {
    this.#lines = database.prepare(`
      SELECT currency, state, count(*) AS invoices, sum(total - credited) AS amount
      FROM invoices WHERE month = ? GROUP BY currency, state ORDER BY currency, state`);
    this.#write = database.prepare("INSERT OR REPLACE INTO reports (month, as_of, content) VALUES (?, ?, ?)");
    this.#of = database.prepare("SELECT content FROM reports WHERE month = ?");
  }

  lines(month: string): readonly ReportLine[] {
    return this.#lines.all(month) as ReportLine[];
  }

  write(month: string): void {
    this.#write.run(month, now(), JSON.stringify(this.lines(month)));
  }

  of(month: string): readonly ReportLine[] | undefined {
    const row = this.#of.get(month) as { readonly content: string } | undefined;
    return row && (JSON.parse(row.content) as ReportLine[]);
  }
}
