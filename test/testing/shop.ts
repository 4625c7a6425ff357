/** Definitions that the tests of the test door share. Each test makes its own, so that nothing is shared between them. */
import * as z from "zod";
import { event, snooze, task, when, type DomainEvent, type Subscription, type Task } from "../../src/index.ts";

export interface Shop {
  readonly definitions: Readonly<Record<string, unknown>>;
  readonly done: string[];
  readonly orderPlaced: DomainEvent<{ orderId: string }>;
  readonly sendReceipt: Task<{ orderId: string; copies?: number | undefined }>;
  readonly charge: Task<{ invoiceId: string }>;
  readonly remind: Task<{ orderId: string }>;
  readonly receipts: Subscription;
}

export function shop(): Shop {
  const done: string[] = [];
  const orderPlaced = event("order.placed", z.object({ orderId: z.string() }));
  const sendReceipt = task("send-receipt", {
    input: z.object({ orderId: z.string(), copies: z.number().optional() }),
    unless: ({ orderId }) => orderId === "sent" && "already sent",
    run: ({ orderId }, job) => {
      if (orderId === "broken" && job.attempt < 3) throw new Error("no printer");
      done.push(`receipt ${orderId}`);
    },
    retry: { attempts: 3, backoff: "fixed", first: "10s" },
  });
  const charge = task("charge", async ({ invoiceId }: { invoiceId: string }, job) => {
    done.push(`charge ${invoiceId}`);
    job.enqueue(remind.with({ orderId: invoiceId }, { in: "1d" }));
  });
  const remind = task("remind", ({ orderId }: { orderId: string }, job) => {
    if (orderId === "asleep" && !done.includes("snoozed")) {
      done.push("snoozed");
      snooze("5m");
    }
    done.push(`remind ${orderId} ${job.attempt}`);
  });
  const receipts = when(orderPlaced, sendReceipt);
  const charges = when(orderPlaced, charge, { with: ({ orderId }) => ({ invoiceId: `i${orderId}` }) });
  return { definitions: { orderPlaced, sendReceipt, charge, remind, receipts, charges }, done, orderPlaced, sendReceipt, charge, remind, receipts };
}
