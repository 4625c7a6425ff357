/** Knex: the `trx` of `knex.transaction(async (trx) => …)`. */
import { has, placed } from "./adapter.ts";
import type { Adapter } from "./adapter.ts";

interface KnexTransaction {
  raw(text: string, values: readonly (string | null)[]): PromiseLike<{ readonly rows: readonly unknown[] }>;
  readonly isTransaction?: boolean;
  isCompleted?(): boolean;
}

export const knex: Adapter = {
  cure: "take the trx of knex.transaction(async (trx) => …), and call within(trx) or job.commit(trx) before it ends",
  recognise: (given) => {
    if (typeof given !== "function" || !has(given, "raw", "transaction", "queryBuilder")) return undefined;
    const trx = given as unknown as KnexTransaction;
    if (trx.isTransaction !== true || trx.isCompleted?.() === true) return "not open";
    return async (text, values) => (await trx.raw(questioned(text), values)).rows;
  },
};

/** Its places are question marks; others are escaped. */
function questioned(text: string): string {
  return placed(text.replaceAll("?", "\\?"), () => "?");
}
