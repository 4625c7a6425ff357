/** The month's close as errand carries it out: what is to be done for a customer, and what it rests on. */
import * as z from "zod";
import type { Account } from "./accounts.ts";
import { books } from "./books.ts";
import { timeToObject } from "./clock.ts";
import { Busy, charge as chargeCard, Declined, mail } from "./gateway.ts";
import { batch, chain, giveUp, skip, snooze, task, type Errand } from "./errand.ts";
import { due, type Invoice } from "./invoices.ts";
import { letterTo } from "./letters.ts";

export const CustomerMonth = z.object({ customerId: z.string(), month: z.string() });
export const InvoicePointer = z.object({ invoiceId: z.string() });

// ── one customer's month ────────────────────────────────────────────────────────────────────────────
// Each run reads what is true when it runs. `job.commit` writes its completion in the transaction of its effect: both happen, once, or neither.

export const makeItems = task("make-items", {
  input: CustomerMonth,
  unless: ({ customerId }) => isClosed(customerId),
  run: ({ customerId, month }, job) =>
    books().write(() => {
      books().items.generate(books().accounts.get(customerId), month);
      job.commit(books().database);
    }),
});

/** Hands on the charge with what the invoice rests on: if that has changed by then, the charge will know. */
export const makeInvoice = task("make-invoice", {
  input: CustomerMonth,
  unless: ({ customerId }) => isClosed(customerId),
  run: ({ customerId, month }, job) =>
    books().write(() => {
      const account = books().accounts.get(customerId);
      const invoice = books().invoices.issue(account, month);
      const options = { expecting: premiseOf(invoice, account), in: `${timeToObject.inSeconds}s` } as const;
      if (due(invoice) > 0 && account.card !== null) job.add(charge.with({ invoiceId: invoice.id }, options));
      job.commit(books().database);
    }),
});

export interface Premise {
  readonly account: Account["state"];
  readonly card: string | null;
  readonly currency: string;
  readonly version: number;
}

export const charge = task("charge", {
  input: InvoicePointer,
  current: ({ invoiceId }): Premise => {
    const invoice = books().invoices.get(invoiceId);
    return premiseOf(invoice, books().accounts.get(invoice.customerId));
  },
  ifStale: {
    conflict: ({ invoiceId }, { expected, found, reason }, job) => {
      if (found === undefined || found.account === "closed" || found.card === null) skip(reason);
      if (found.currency === expected.currency) return; // a credit: the run charges what is due now
      const { customerId, month } = books().invoices.get(invoiceId);
      job.add(makeInvoice.with({ customerId, month })); // which adds a charge of its own
      skip(reason);
    },
  },
  unless: ({ invoiceId }) => due(books().invoices.get(invoiceId)) === 0 && "nothing is left to pay",
  run: async ({ invoiceId }, job) => {
    const payment = await books().write(() => decide(invoiceId));
    if (payment === undefined) snooze("1s"); // something changed since the guard looked, a moment ago: it looks again
    if (payment.state === "declined") giveUp("the bank declined");
    const { customerId, month } = books().invoices.get(invoiceId);
    const { amount, currency, card, key } = payment;
    try {
      await chargeCard({ customerId, month, amount, currency, card }, { idempotencyKey: key, signal: job.signal });
    } catch (error) {
      if (error instanceof Busy) await books().write(() => books().payments.withdraw(payment));
      if (!(error instanceof Declined)) throw error;
      await books().write(() => books().payments.end(payment, "declined"));
      giveUp("the bank declined");
    }
    await books().write(() => {
      books().payments.end(payment, "captured");
      job.commit(books().database);
    });
  },
  queue: "payments",
  retry: { attempts: 12, first: "250ms", upTo: "5s" },
});

export const holdAccount = task("hold-account", {
  input: CustomerMonth,
  unless: ({ customerId, month }) => books().invoices.latest(customerId, month)?.state !== "declined" && "no bank declined",
  run: ({ customerId }, job) =>
    books().write(() => {
      books().accounts.hold(customerId);
      job.commit(books().database);
    }),
});

export const mailCustomer = task("mail-customer", {
  input: CustomerMonth,
  run: async ({ customerId, month }, job) => {
    const { accounts, invoices, payments, mails, database } = books();
    const invoice = invoices.latest(customerId, month);
    const text = letterTo(accounts.get(customerId), invoice, invoice && payments.of(invoice.id));
    await mail({ customerId, text }, { idempotencyKey: job.id, signal: job.signal });
    await books().write(() => {
      mails.mark(customerId, month);
      job.commit(database);
    });
  },
  queue: "mail",
  retry: { attempts: 12, first: "250ms", upTo: "5s" },
});

export const writeReport = task("write-report", {
  input: z.object({ month: z.string() }),
  run: ({ month }, job) =>
    books().write(() => {
      books().reports.write(month);
      job.commit(books().database);
    }),
});

// ── all of them ─────────────────────────────────────────────────────────────────────────────────────
// What comes after what is said, and not hoped for: no priority is involved. The same id again is the same close.

export function monthClose(customerIds: readonly string[], month: string): Errand {
  return batch(
    customerIds.map((customerId) => closeOf({ customerId, month })),
    { whenAllEnd: writeReport.with({ month }), id: `close-${month}`, name: "month-close" },
  );
}

function closeOf(of: { readonly customerId: string; readonly month: string }): Errand {
  return batch([chain(makeItems.with(of), makeInvoice.with(of))], { whenAnyFails: holdAccount.with(of), whenAllEnd: mailCustomer.with(of) });
}

// ── what they look at ───────────────────────────────────────────────────────────────────────────────

export function isClosed(customerId: string): string | false {
  return books().accounts.get(customerId).state === "closed" && "the account was closed";
}

export function premiseOf({ version }: Invoice, { state, card, currency }: Account): Premise {
  return { account: state, card, currency, version };
}

export function decide(invoiceId: string): ReturnType<ReturnType<typeof books>["payments"]["decide"]> {
  const invoice = books().invoices.get(invoiceId);
  return books().payments.decide(invoice, books().accounts.get(invoice.customerId));
}
