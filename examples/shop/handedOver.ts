/** The endpoint with errand: it stores the order and the fact that it was placed, in one transaction, and answers. */
import * as definitions from "./definitions.ts";
import { onceFree } from "../stage/database.ts";
import { broker } from "./errand.ts";
import type { Order } from "./order.ts";
import { ofThisProcess } from "./orders.ts";

const { orderPlaced, sendReceipt } = definitions;
const orders = ofThisProcess();
const work = broker(process.env["SHOP_STORE"] ?? "sqlite:shop.db", definitions);
await work.open();

const placeInOneTransaction = orders.database.transaction((order: Order) => {
  orders.insert(order);
  work.within(orders.database).publish(orderPlaced.with({ orderId: order.id, accountId: order.accountId }));
});

export async function place(order: Order): Promise<object> {
  await onceFree(() => placeInOneTransaction.immediate(order));
  return { orderId: order.id };
}

export async function resendReceipt(orderId: string): Promise<object> {
  const { isDuplicate } = await work.enqueue(sendReceipt.with({ orderId }));
  return { orderId, hasJoined: isDuplicate };
}
