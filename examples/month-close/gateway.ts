/** The provider, as the app calls it. */
import type { Currency } from "./currencies.ts";

export interface Charge {
  readonly customerId: string;
  readonly month: string;
  readonly amount: number;
  readonly currency: Currency;
  readonly card: string;
}
export interface Letter {
  readonly customerId: string;
  readonly text: string;
}
export interface Call {
  /** The same for every repetition of the same call. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

/** The bank said no: a definite answer, and no use in asking again. */
export class Declined extends Error {
  constructor(customerId: string) {
    super(`the bank of ${customerId} declined`);
    this.name = "Declined";
  }
}
/** The provider was too busy to look at it: nothing was charged. Any other error leaves that open. */
export class Busy extends Error {
  constructor() {
    super("the provider is busy");
    this.name = "Busy";
  }
}

/** Throws Declined, Busy, or what the connection broke with. */
export async function charge(asked: Charge, call: Call = {}): Promise<void> {
  if ((await post("charges", asked, call)) === 402) throw new Declined(asked.customerId);
}

export async function mail(letter: Letter, call: Call = {}): Promise<void> {
  await post("mails", letter, call);
}

async function post(path: string, body: object, { idempotencyKey, signal }: Call): Promise<number> {
  const response = await fetch(`${process.env["CLOSE_PROVIDER"]}/${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "user-agent": process.env["STAGE_PROCESS"] ?? "",
      ...(idempotencyKey && { "idempotency-key": idempotencyKey }),
    },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
  await response.arrayBuffer(); // read to the end, so that the connection is used again
  if (response.status === 503) throw new Busy();
  if (!response.ok && response.status !== 402) throw new Error(`the provider answered ${response.status}`);
  return response.status;
}
