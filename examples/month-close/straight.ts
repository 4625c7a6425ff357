/**
 * The month's close as it is written first: one program, phase after phase. It retries what fails, works on a hundred at a time, and remembers what is done,
 * so that it can be started again. It is careful by the lights of its day, and wrong by what happens between its reading and its acting.
 */
import { setTimeout as pause } from "node:timers/promises";
import { ready } from "../stage/ready.ts";
import { books } from "./books.ts";
import { month, timeToObject } from "./clock.ts";
import { charge, Declined, mail } from "./gateway.ts";
import { letterTo } from "./letters.ts";
import { straightBooks, type Owed } from "./straightBooks.ts";

const atOnce = 100;
const attempts = 5;
const pauseMs = 100;

const app = books();
const close = straightBooks(app.database, month);
ready();
await closeMonth();
process.send?.({ isDone: true });

async function closeMonth(): Promise<void> {
  const customers = app.accounts.ids();
  await app.write(() => customers.forEach((id) => app.items.generate(app.accounts.get(id), month)));
  await app.write(() => customers.forEach((id) => app.invoices.issue(app.accounts.get(id), month)));
  await pause(timeToObject.inSeconds * 1_000);
  await inChunks(close.owed(), collect);
  await app.write(() => close.holdDeclined());
  await inChunks(app.mails.open(month), inform);
  await app.write(() => app.reports.write(month));
}

async function collect({ invoiceId, customerId, amount, currency, card }: Owed): Promise<void> {
  try {
    await retried(() => charge({ customerId, month, amount, currency, card }));
    await app.write(() => close.record(invoiceId, { amount, currency, card }, "captured"));
  } catch (error) {
    if (!(error instanceof Declined)) throw error;
    await app.write(() => close.record(invoiceId, { amount, currency, card }, "declined"));
  }
}

async function inform(customerId: string): Promise<void> {
  const invoice = app.invoices.latest(customerId, month);
  const text = letterTo(app.accounts.get(customerId), invoice, invoice && app.payments.of(invoice.id));
  await retried(() => mail({ customerId, text }));
  await app.write(() => app.mails.mark(customerId, month));
}

async function inChunks<Thing>(things: readonly Thing[], work: (thing: Thing) => Promise<void>): Promise<void> {
  for (let from = 0; from < things.length; from += atOnce) await Promise.all(things.slice(from, from + atOnce).map(work));
}

async function retried(call: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (error instanceof Declined || attempt === attempts) throw error;
      await pause(pauseMs * attempt);
    }
  }
}
