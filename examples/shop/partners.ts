/** The third parties, as the shop calls them: one function each. */
import type { Effect } from "./effects.ts";
import type { Order } from "./order.ts";

export interface Call {
  /** The same for every repetition of the same call. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
  readonly note?: string;
}
export type Partner = (order: Order, call?: Call) => Promise<void>;

export const fraud: Partner = partner("fraud");
export const payment: Partner = partner("payment");
export const ledger: Partner = partner("ledger");
export const shipping: Partner = partner("shipping");
export const mail: Partner = partner("mail");
export const invoices: Partner = partner("invoices");
export const loyalty: Partner = partner("loyalty");
export const searchIndex: Partner = partner("searchIndex");
export const analytics: Partner = partner("analytics");
export const crm: Partner = partner("crm");

function partner(effect: Effect): Partner {
  return async (order, { idempotencyKey, signal, note } = {}) => {
    const response = await fetch(`${process.env["SHOP_PARTNERS"]}/${effect}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "user-agent": process.env["STAGE_PROCESS"] ?? "shop",
        ...(idempotencyKey && { "idempotency-key": idempotencyKey }),
      },
      body: JSON.stringify({ orderId: order.id, accountId: order.accountId, note }),
      ...(signal && { signal }),
    });
    await response.arrayBuffer(); // read to the end, so that the connection is used again
    if (!response.ok) throw new Error(`${effect} answered ${response.status}`);
  };
}
