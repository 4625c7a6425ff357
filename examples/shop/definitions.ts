/** What follows from an order: one event, ten tasks, ten subscriptions. This is all the broker needs to know about the shop. */
import * as z from "zod";
import { event, task, when } from "./errand.ts";
import { analytics, crm, fraud, invoices, ledger, loyalty, mail, payment, searchIndex, shipping } from "./partners.ts";
import { ofThisProcess } from "./orders.ts";

const orders = ofThisProcess();
const OrderPointer = z.object({ orderId: z.string() });
const EntryPointer = z.object({ orderId: z.string(), accountId: z.string() });

export const orderPlaced = event("order.placed", EntryPointer);

// ── the work, one task for each partner ─────────────────────────────────────────────────────────────
// Payloads are pointers: a task reads the order when it runs. `job.id` stays the same through every retry, so a partner can tell a repetition.

export const checkFraud = task("check-fraud", {
  input: OrderPointer,
  run: async ({ orderId }, job) => fraud(await orders.get(orderId), { idempotencyKey: job.id, signal: job.signal }),
});

export const chargeCard = task("charge-card", {
  input: OrderPointer,
  run: async ({ orderId }, job) => payment(await orders.get(orderId), { idempotencyKey: job.id, signal: job.signal }),
  priority: "high",
});

/** The entries of one account are booked in the order in which its orders were placed, through every retry and crash. */
export const bookEntry = task("book-entry", {
  input: EntryPointer,
  orderedBy: "accountId",
  ifDead: "block",
  run: async ({ orderId }, job) => ledger(await orders.get(orderId), { idempotencyKey: job.id, signal: job.signal }),
});

export const shipParcel = task("ship-parcel", {
  input: OrderPointer,
  run: async ({ orderId }, job) => shipping(await orders.get(orderId), { idempotencyKey: job.id, signal: job.signal }),
});

/** Asked for again, it joins the receipt that still waits (`uniqueBy`), and is skipped once one was sent (`unless`). Its queue keeps a mail outage away from the rest. */
export const sendReceipt = task("send-receipt", {
  input: OrderPointer,
  uniqueBy: "orderId",
  unless: async ({ orderId }) => (await orders.receiptSentAt(orderId)) && "already sent",
  run: async ({ orderId }, job) => {
    await mail(await orders.get(orderId), { idempotencyKey: job.id, signal: job.signal });
    await orders.markReceiptSent(orderId);
  },
  retry: { attempts: 20, first: "250ms", upTo: "2s" },
  queue: "mail",
});

export const makeInvoice = task("make-invoice", {
  input: OrderPointer,
  run: async ({ orderId }, job) => invoices(await orders.get(orderId), { idempotencyKey: job.id, signal: job.signal }),
});

export const addPoints = task("add-points", {
  input: OrderPointer,
  run: async ({ orderId }, job) => loyalty(await orders.get(orderId), { idempotencyKey: job.id, signal: job.signal }),
});

export const updateSearch = task("update-search", {
  input: OrderPointer,
  run: async ({ orderId }, job) => searchIndex(await orders.get(orderId), { idempotencyKey: job.id, signal: job.signal }),
  priority: "low",
});

export const trackSale = task("track-sale", {
  input: OrderPointer,
  run: async ({ orderId }, job) => analytics(await orders.get(orderId), { idempotencyKey: job.id, signal: job.signal }),
  priority: "low",
});

/** Knows accounts and nothing of events: the subscription below says how the one becomes the other. */
export const noteInCrm = task("note-in-crm", {
  input: z.object({ orderId: z.string(), note: z.string() }),
  run: async ({ orderId, note }, job) => crm(await orders.get(orderId), { idempotencyKey: job.id, signal: job.signal, note }),
});

// ── what follows from what ──────────────────────────────────────────────────────────────────────────

export const fraudChecks = when(orderPlaced, checkFraud);
export const charges = when(orderPlaced, chargeCard);
export const entries = when(orderPlaced, bookEntry);
export const parcels = when(orderPlaced, shipParcel);
export const receipts = when(orderPlaced, sendReceipt);
export const invoicesOfOrders = when(orderPlaced, makeInvoice);
export const points = when(orderPlaced, addPoints);
export const searchUpdates = when(orderPlaced, updateSearch);
export const sales = when(orderPlaced, trackSale);
export const customerNotes = when(orderPlaced, noteInCrm, { with: ({ orderId }) => ({ orderId, note: "placed an order" }) });
