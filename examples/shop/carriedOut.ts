/** What the third party did, for whom, and how often: the truth that both endpoints are measured by. */
import type { Effect } from "./effects.ts";

export interface Report {
  readonly calls: number;
  readonly failed: number;
  /** Calls for an effect and an order that had been called before. */
  readonly calledAgain: number;
  /** Calls for what was already done. With the idempotency key it was done under, they do nothing. */
  readonly attemptedTwice: number;
  /** Effects carried out more than once all the same: the second call had another key, or none. */
  readonly doneTwice: number;
  /** For each effect, its orders and when it was done for them first (ms since 1970). */
  readonly done: Readonly<Partial<Record<Effect, Readonly<Record<string, number>>>>>;
  /** Ledger entries in the order in which they were booked. */
  readonly entries: readonly { readonly accountId: string; readonly orderId: string }[];
}

interface Dossier {
  calls: number;
  /** Idempotency keys it was done under; undefined for a call without one. */
  readonly doneUnder: (string | undefined)[];
  firstDoneAt: number;
}

export class CarriedOut {
  readonly #dossiers: Map<string, Dossier> = new Map();
  readonly #entries: { accountId: string; orderId: string }[] = [];
  #calls = 0;
  #failed = 0;
  #done = 0;
  #attemptedTwice = 0;
  #doneTwice = 0;

  /** Counts a call; answers how many there were for this effect and order, and whether its key was carried out before. */
  called(effect: Effect, orderId: string, key: string | undefined): { readonly times: number; readonly isDone: boolean } {
    const dossier = this.#dossier(effect, orderId);
    this.#calls += 1;
    dossier.calls += 1;
    if (dossier.doneUnder.length > 0) this.#attemptedTwice += 1;
    return { times: dossier.calls, isDone: key !== undefined && dossier.doneUnder.includes(key) };
  }

  failed(): void {
    this.#failed += 1;
  }

  carryOut(effect: Effect, of: { readonly orderId: string; readonly accountId: string }, key: string | undefined): void {
    const dossier = this.#dossier(effect, of.orderId);
    dossier.doneUnder.push(key);
    if (dossier.doneUnder.length > 1) {
      this.#doneTwice += 1;
      return;
    }
    this.#done += 1;
    dossier.firstDoneAt = Date.now();
    if (effect === "ledger") this.#entries.push({ accountId: of.accountId, orderId: of.orderId });
  }

  get doneCount(): number {
    return this.#done;
  }

  report(): Report {
    const dossiers = [...this.#dossiers].map(([key, dossier]) => ({
      effect: key.slice(0, key.indexOf("/")),
      orderId: key.slice(key.indexOf("/") + 1),
      ...dossier,
    }));
    const done = Map.groupBy(
      dossiers.filter(({ doneUnder }) => doneUnder.length > 0),
      ({ effect }) => effect,
    );
    return {
      calls: this.#calls,
      failed: this.#failed,
      calledAgain: this.#calls - dossiers.length,
      attemptedTwice: this.#attemptedTwice,
      doneTwice: this.#doneTwice,
      done: Object.fromEntries([...done].map(([effect, list]) => [effect, Object.fromEntries(list.map(({ orderId, firstDoneAt }) => [orderId, firstDoneAt]))])),
      entries: this.#entries,
    };
  }

  #dossier(effect: Effect, orderId: string): Dossier {
    const key = `${effect}/${orderId}`;
    const known = this.#dossiers.get(key);
    if (known !== undefined) return known;
    const dossier: Dossier = { calls: 0, doneUnder: [], firstDoneAt: 0 };
    this.#dossiers.set(key, dossier);
    return dossier;
  }
}
