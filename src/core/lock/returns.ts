/**
 * Tickets on their way back. A ticket that was given up and not returned would keep its lock from everybody for as long as this process beats,
 * so it is returned until the store has answered; and once more, a lease later, where a call for it had no answer: that one may reach the store after its return.
 */
import { at } from "../at.ts";
import { leaseMs, locksMax } from "../defaults.ts";
import type { Engine } from "../engine.ts";
import type { Runtime, Timer } from "../runtime.ts";
import { reconnectDelayMs } from "../worker/backoff.ts";

interface Ticket {
  readonly name: string;
  readonly ticket: string;
}

export class Returns {
  readonly #parts: { readonly engine: Engine; readonly runtime: Runtime };
  readonly #waiting: Map<string, Ticket> = new Map();
  /** Tickets that a call without an answer named, by their id. */
  readonly #doubtful: Set<string> = new Set();
  readonly #oncemore: Set<Timer> = new Set();
  #failures = 0;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(parts: { readonly engine: Engine; readonly runtime: Runtime }) {
    this.#parts = parts;
  }

  /** A call for this ticket had no answer: it may still be under way. */
  doubt(ticket: string): void {
    if (this.#doubtful.size < locksMax) this.#doubtful.add(ticket);
  }

  /** False: the store had taken it back before. Rejects where the store cannot be reached; it is tried again all the same. */
  async give(ticket: Ticket): Promise<boolean> {
    const { engine, runtime } = this.#parts;
    try {
      const wasHeld = await engine.unlock({ name: ticket.name, ticket: ticket.ticket }, at(runtime));
      if (this.#doubtful.delete(ticket.ticket)) this.#againLater(ticket);
      return wasHeld;
    } catch (error) {
      this.#waiting.set(ticket.ticket, ticket);
      this.#later();
      throw error;
    }
  }

  /** As {@link give}, for one whose answer nobody waits for. */
  giveSometime(ticket: Ticket): void {
    this.give(ticket).catch(() => undefined); // it is tried again
  }

  /** What is not back by now goes when the lease of its process ends. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const timer of this.#oncemore) timer.cancel();
  }

  #againLater(ticket: Ticket): void {
    if (this.#isClosed) return;
    const again = (): void => {
      this.#oncemore.delete(timer);
      this.giveSometime(ticket);
    };
    const timer = this.#parts.runtime.after(leaseMs, again, { background: true });
    this.#oncemore.add(timer);
  }

  #later(): void {
    if (this.#timer !== undefined || this.#isClosed) return;
    this.#failures++;
    const { runtime } = this.#parts;
    this.#timer = runtime.after(
      reconnectDelayMs(this.#failures, runtime.random()),
      () => {
        this.#timer = undefined;
        void this.#giveAll();
      },
      { background: true },
    );
  }

  async #giveAll(): Promise<void> {
    const tickets = [...this.#waiting.values()];
    this.#waiting.clear();
    const answers = await Promise.allSettled(tickets.map((ticket) => this.give(ticket)));
    if (answers.every(({ status }) => status === "fulfilled")) this.#failures = 0;
  }
}
