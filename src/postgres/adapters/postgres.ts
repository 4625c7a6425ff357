/** The package `postgres`: the `sql` of `sql.begin(async (sql) => …)`. */
import { has, literals } from "./adapter.ts";
import type { Adapter } from "./adapter.ts";

interface PostgresTransaction {
  unsafe(text: string): PromiseLike<readonly unknown[]>;
}

export const postgres: Adapter = {
  cure: "take the sql of sql.begin(async (sql) => …), and call within(sql) or job.commit(sql) before it ends",
  recognise: (given) => {
    if (typeof given !== "function" || !has(given, "unsafe", "typed")) return undefined;
    const sql = given as unknown as PostgresTransaction;
    return has(given, "savepoint") ? (text, values) => sql.unsafe(literals(text, values)) : "not open";
  },
};
