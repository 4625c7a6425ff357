/** The payment and mail provider, a process of its own: slow, now and then busy, now and then cut off; and it remembers every charge. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { answer, bodyOf, serve } from "../stage/http.ts";
import { drawn } from "../stage/seeded.ts";
import { chance, latency } from "./chance.ts";
import { now } from "./clock.ts";
import type { Charge, Letter } from "./gateway.ts";
import { Ledger } from "./ledger.ts";

const seed = process.env["CLOSE_SEED"] ?? "1";
const ledger = new Ledger();

await serve(async (request, response) => {
  switch (request.url) {
    case "/charges":
      return charge((await bodyOf(request)) as Charge, keyOf(request), callerOf(request), response);
    case "/mails":
      return mail((await bodyOf(request)) as Letter, keyOf(request), response);
    case "/count":
      return answer(response, 200, ledger.count());
    case "/record":
      return answer(response, 200, ledger.record());
    default:
      return answer(response, 404);
  }
});

/** What it charges it has charged from the moment it was asked, whatever becomes of the answer. */
async function charge(asked: Charge, key: string | undefined, caller: string, response: ServerResponse): Promise<void> {
  const call = ledger.called(asked.customerId);
  const happens = (what: keyof typeof chance): boolean => drawn(seed, asked.customerId, what === "declined" ? 0 : call, what) < chance[what];
  if (happens("busy")) return answer(response, 503);
  const outcome = ledger.charge(asked, { key, at: now(), isDeclined: happens("declined") });
  ledger.begin(caller);
  await pause(lasting("charge", asked.customerId, call));
  ledger.end(caller);
  if (outcome === "captured" && happens("answerLost")) return void response.socket?.destroy();
  return answer(response, outcome === "captured" ? 200 : 402);
}

async function mail(letter: Letter, key: string | undefined, response: ServerResponse): Promise<void> {
  const call = ledger.called(`mail to ${letter.customerId}`);
  if (drawn(seed, letter.customerId, call, "mail") < chance.busy) return answer(response, 503);
  await pause(lasting("mail", letter.customerId, call));
  ledger.mail(letter, key);
  return answer(response, 200);
}

function lasting(what: keyof typeof latency, ...parts: readonly (string | number)[]): number {
  const { fromMs, toMs } = latency[what];
  return fromMs + (toMs - fromMs) * drawn(seed, ...parts, what, "lasts");
}

function keyOf(request: IncomingMessage): string | undefined {
  return request.headers["idempotency-key"]?.toString();
}

function callerOf(request: IncomingMessage): string {
  return request.headers["user-agent"] ?? "";
}
