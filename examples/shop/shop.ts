/** The shop: an HTTP server with its own database. `SHOP_ENDPOINT` says how it places an order: stuffed, or handed over to errand. */
import { answer, bodyOf, serve } from "../stage/http.ts";
import type { Order } from "./order.ts";

interface Endpoint {
  place(order: Order): Promise<object>;
  resendReceipt?(orderId: string): Promise<object>;
}
const endpoint: Endpoint = process.env["SHOP_ENDPOINT"] === "stuffed" ? await import("./stuffed.ts") : await import("./handedOver.ts");

await serve(async (request, response) => {
  const [, collection, orderId, part] = (request.url ?? "").split("/");
  if (request.method !== "POST" || collection !== "orders") return answer(response, 404);
  if (orderId === undefined) return answer(response, 202, await endpoint.place((await bodyOf(request)) as Order));
  if (part === "receipt" && endpoint.resendReceipt) return answer(response, 202, await endpoint.resendReceipt(orderId));
  return answer(response, 404);
});
