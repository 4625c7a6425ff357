/** The endpoint with errand: it stores the order and the fact that it was placed, in one transaction, and answers. */
import * as definitions from "./definitions.ts";
import { broker } from "./errand.ts";
import type { Order } from "./order.ts";
import { ofThisProcess } from "./orders.ts";
import { storeOfThisProcess } from "./store.ts";

const { orderPlaced, sendReceipt } = definitions;
const orders = ofThisProcess();
const work = broker(storeOfThisProcess(), definitions);
await work.open();

export async function place(order: Order): Promise<object> {
  await orders.place(order, (tx) => work.within(tx).publish(orderPlaced.with({ orderId: order.id, accountId: order.accountId })));
  return { orderId: order.id };
}

export async function resendReceipt(orderId: string): Promise<object> {
  const { isDuplicate } = await work.enqueue(sendReceipt.with({ orderId }));
  return { orderId, hasJoined: isDuplicate };
}
