/** Kysely: the `trx` of `db.transaction().execute(async (trx) => …)`, or of `startTransaction()`. */
import { has } from "./adapter.ts";
import type { Adapter } from "./adapter.ts";

interface KyselyTransaction {
  readonly isTransaction: boolean;
  /** Only of one that the app ends by itself. */
  readonly isCommitted?: boolean;
  readonly isRolledBack?: boolean;
  executeQuery(query: object): Promise<{ readonly rows: readonly unknown[] }>;
}

export const kysely: Adapter = {
  cure: "take the trx of db.transaction().execute(async (trx) => …), and call within(trx) or job.commit(trx) before it ends",
  recognise: (given) => {
    if (!has(given, "isTransaction", "getExecutor", "executeQuery")) return undefined;
    const trx = given as KyselyTransaction;
    if (!trx.isTransaction || trx.isCommitted === true || trx.isRolledBack === true) return "not open";
    return async (text, values) => (await trx.executeQuery(compiled(text, values))).rows;
  },
};

/** As `CompiledQuery.raw` makes it. */
function compiled(text: string, values: readonly (string | null)[]): object {
  return { sql: text, parameters: values, query: { kind: "RawNode", sqlFragments: [text], parameters: [] }, queryId: { queryId: "errand" } };
}
