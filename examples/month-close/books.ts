/** The app's database: one handle for each process, and what is asked of it. */
import { onceFree, openDatabase, type Database } from "../stage/database.ts";
import { Accounts } from "./accounts.ts";
import { Changes } from "./changes.ts";
import { Invoices } from "./invoices.ts";
import { Items } from "./items.ts";
import { Mails } from "./mails.ts";
import { Payments } from "./payments.ts";
import { Reports } from "./reports.ts";

export class Books {
  readonly database: Database;
  readonly accounts: Accounts;
  readonly items: Items;
  readonly invoices: Invoices;
  readonly payments: Payments;
  readonly mails: Mails;
  readonly changes: Changes;
  readonly reports: Reports;
  #waiting: Waiting[] = [];

  constructor(file: string) {
    this.database = openDatabase(file);
    this.database.pragma("busy_timeout = 5"); // from here on, writes wait by onceFree
    this.accounts = new Accounts(this.database);
    this.items = new Items(this.database);
    this.invoices = new Invoices(this.database, this.items);
    this.payments = new Payments(this.database, this.invoices);
    this.mails = new Mails(this.database);
    this.changes = new Changes(this.database, this.accounts, this.invoices);
    this.reports = new Reports(this.database);
  }

  /** One transaction. What is written at the same moment shares a commit, and its sync to the disk; each of it stands or falls alone. */
  write<Answer>(write: () => Answer): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const alone = this.database.transaction(write); // within another one it is a savepoint
    const run = (): (() => void) => {
      try {
        const answer = alone.immediate();
        return () => resolve(answer);
      } catch (error) {
        return () => reject(error);
      }
    };
    this.#waiting.push({ run, reject });
    if (this.#waiting.length === 1) setImmediate(() => void this.#commit());
    return promise;
  }

  async #commit(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    const all = this.database.transaction(() => waiting.map(({ run }) => run()));
    try {
      for (const tell of await onceFree(() => all.immediate())) tell();
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }

  close(): void {
    this.database.close();
  }
}

interface Waiting {
  /** Answers what is to be told once it is committed. */
  readonly run: () => () => void;
  readonly reject: (error: unknown) => void;
}

let opened: Books | undefined;
/** This process's. */
export function books(): Books {
  return (opened ??= new Books(process.env["CLOSE_DATABASE"] ?? "close.db"));
}
