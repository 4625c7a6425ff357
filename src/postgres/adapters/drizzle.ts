/** Drizzle, over any of its drivers for PostgreSQL: the `tx` of `db.transaction(async (tx) => …)`. */
import { has, literals } from "./adapter.ts";
import type { Adapter, AskRaw } from "./adapter.ts";

interface DrizzleTransaction {
  execute(query: string): PromiseLike<readonly unknown[] | { readonly rows: readonly unknown[] }>;
  /** Its driver's client; of pg, it can be asked. */
  readonly session?: { readonly client?: { getTransactionStatus?(): string | null } };
}

export const drizzle: Adapter = {
  cure: "take the tx of db.transaction(async (tx) => …), and call within(tx) or job.commit(tx) before it ends",
  recognise: (given) => {
    if (!has(given, "execute", "select", "insert", "transaction", "dialect")) return undefined;
    const tx = given as DrizzleTransaction;
    return has(given, "rollback") && tx.session?.client?.getTransactionStatus?.() !== "I" ? asker(tx) : "not open";
  },
};

/** It takes values only in templates of its own `sql`. */
function asker(tx: DrizzleTransaction): AskRaw {
  return async (text, values) => {
    const answer = await tx.execute(literals(text, values));
    return "rows" in answer ? answer.rows : answer;
  };
}
