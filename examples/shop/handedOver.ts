/** The endpoint with errand: it stores the order and the fact that it was placed, in one transaction, and answers. Redis has no part in that: there it hands over afterwards. */
import * as definitions from "./definitions.ts";
import { broker } from "./errand.ts";
import type { Order } from "./order.ts";
import { ofThisProcess } from "./orders.ts";

const { orderPlaced, sendReceipt } = definitions;
const orders = ofThisProcess();
const store = process.env["SHOP_STORE"] ?? "sqlite:shop.db";
const isOneDatabase = !store.startsWith("redis");
const work = broker(store, definitions);
await work.open();

export async function place(order: Order): Promise<object> {
  const fact = orderPlaced.with({ orderId: order.id, accountId: order.accountId }, { id: order.id });
  if (isOneDatabase) await orders.place(order, (tx) => work.within(tx).publish(fact));
  else {
    await orders.place(order);
    await work.publish(fact);
  }
  return { orderId: order.id };
}

export async function resendReceipt(orderId: string): Promise<object> {
  const { isDuplicate } = await work.enqueue(sendReceipt.with({ orderId }));
  return { orderId, hasJoined: isDuplicate };
}
