/** The outside world, a process of its own: ten endpoints that are slow and fail at times, one of which is down for a while. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { CarriedOut } from "./carriedOut.ts";
import { effects, failureRate, type Effect } from "./effects.ts";
import { answer, bodyOf, serve } from "../stage/http.ts";
import { drawn } from "../stage/seeded.ts";

const seed = process.env["SHOP_SEED"] ?? "1";
const carriedOut = new CarriedOut();
const down = new Set<string>();
/** Calls being carried out, for each caller. */
const underWay: Record<string, number> = {};

await serve(async (request, response) => {
  const [, first = "", second = ""] = (request.url ?? "").split("/");
  if (Object.hasOwn(effects, first)) return carryOut(first as Effect, request, response);
  if (first === "down") return switchOff(second, request, response);
  if (first === "count") return answer(response, 200, { done: carriedOut.doneCount, underWay });
  if (first === "report") return answer(response, 200, carriedOut.report());
  return answer(response, 404);
});

/** The same calls fail on every run with the same seed, whenever they come. */
async function carryOut(effect: Effect, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const of = (await bodyOf(request)) as { readonly orderId: string; readonly accountId: string };
  const key = request.headers["idempotency-key"]?.toString();
  const { times, isDone } = carriedOut.called(effect, of.orderId, key);
  if (isDone) return answer(response, 200);
  const isFlaky = drawn(seed, effect, of.orderId, times, "fails") < failureRate;
  if (isFlaky || down.has(effect)) {
    carriedOut.failed();
    return answer(response, isFlaky ? 500 : 503);
  }
  const { fromMs, toMs } = effects[effect];
  const caller = request.headers["user-agent"] ?? "";
  underWay[caller] = (underWay[caller] ?? 0) + 1;
  await pause(fromMs + (toMs - fromMs) * drawn(seed, effect, of.orderId, times, "lasts"));
  underWay[caller] -= 1;
  carriedOut.carryOut(effect, of, key);
  return answer(response, 200);
}

function switchOff(effect: string, request: IncomingMessage, response: ServerResponse): void {
  if (request.method === "DELETE") down.delete(effect);
  else down.add(effect);
  answer(response, 200);
}
