/** The endpoint as it grew: ten effects inside the request. The first that fails fails the request, and what was done by then stays done. */
import { analytics, crm, fraud, invoices, ledger, loyalty, mail, payment, searchIndex, shipping } from "./partners.ts";
import type { Order } from "./order.ts";
import { ofThisProcess } from "./orders.ts";

const orders = ofThisProcess();

export async function place(order: Order): Promise<object> {
  await orders.place(order);
  await fraud(order);
  await payment(order);
  await ledger(order);
  await shipping(order);
  await invoices(order);
  await mail(order);
  await Promise.all([loyalty(order), searchIndex(order), analytics(order), crm(order)]);
  return { orderId: order.id };
}
