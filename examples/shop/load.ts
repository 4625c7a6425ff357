/** Customers: they place orders at a steady rate, however slow the shop is. */
import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import type { Order } from "./order.ts";

export class Load {
  readonly orders: readonly Order[];
  readonly rate: number;
  sent = 0;
  /** Ids of orders that were answered, and when (ms since 1970). */
  readonly accepted: Map<string, number> = new Map();
  /** Ids of orders whose customer was told that it failed, and when. */
  readonly refused: Map<string, number> = new Map();
  /** From the moment an order was meant to be sent, so that a late start counts as the wait it is. */
  readonly responsesMs: number[] = [];
  readonly #shop: string;

  constructor(shop: string, orders: readonly Order[], rate: number) {
    this.#shop = shop;
    this.orders = orders;
    this.rate = rate;
  }

  /** How long it takes to send them all. */
  get lengthMs(): number {
    return (this.orders.length / this.rate) * 1_000;
  }

  /** Resolves when the last one was answered. */
  async run(): Promise<void> {
    const start = performance.now();
    const answers: Promise<void>[] = [];
    for (const [index, order] of this.orders.entries()) {
      const intended = start + (index / this.rate) * 1_000;
      if (performance.now() < intended) await pause(intended - performance.now());
      answers.push(this.#place(order, intended));
      this.sent += 1;
    }
    await Promise.all(answers);
  }

  async #place(order: Order, intended: number): Promise<void> {
    const isAccepted = await this.#post(order);
    this.responsesMs.push(performance.now() - intended);
    (isAccepted ? this.accepted : this.refused).set(order.id, Date.now());
  }

  async #post(order: Order): Promise<boolean> {
    try {
      const response = await fetch(`${this.#shop}/orders`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(order) });
      await response.arrayBuffer();
      return response.ok;
    } catch {
      return false; // the shop could not be reached: for its customer the same as a refusal
    }
  }
}
