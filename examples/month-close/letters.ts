/** What a customer is told at the end: by their language's way of writing amounts and instants, in their currency, by their clock. */
import type { Account } from "./accounts.ts";
import { asOf } from "./asOf.ts";
import { now } from "./clock.ts";
import { due, type Invoice } from "./invoices.ts";
import { money } from "./money.ts";
import type { Payment } from "./payments.ts";

export function letterTo(account: Account, invoice: Invoice | undefined, payment: Payment | undefined): string {
  return `${account.name}, ${news(account, invoice, payment)}, as of ${asOf(now(), account.locale, account.zone)}.`;
}

function news({ locale, state, card }: Account, invoice: Invoice | undefined, payment: Payment | undefined): string {
  if (payment?.state === "captured") return `thank you: ${money(payment.amount, payment.currency, locale)} was paid for ${invoice?.month}`;
  if (payment?.state === "declined") return `${money(payment.amount, payment.currency, locale)} could not be collected, and your account is on hold`;
  if (state === "closed" || invoice === undefined) return "your account is closed, and nothing was charged";
  if (due(invoice) === 0) return "your credit covers the month, and nothing was charged";
  if (card === null) return `${money(due(invoice), invoice.currency, locale)} is open, and there is no card on file: please add one`;
  return `${money(due(invoice), invoice.currency, locale)} is open`;
}
