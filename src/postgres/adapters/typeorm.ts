/** TypeORM: the `EntityManager` of `dataSource.transaction(async (manager) => …)`, or a `QueryRunner` that has begun one. */
import { has } from "./adapter.ts";
import type { Adapter } from "./adapter.ts";

interface QueryRunner {
  query(text: string, values: readonly (string | null)[]): Promise<readonly unknown[]>;
  readonly isTransactionActive: boolean;
  readonly isReleased: boolean;
}

export const typeorm: Adapter = {
  cure: "take the manager of dataSource.transaction(async (manager) => …), or a query runner after startTransaction(), before it ends",
  recognise: (given) => {
    const runner = runnerOf(given);
    if (runner === undefined || runner === "none") return runner && "not open";
    return runner.isTransactionActive && !runner.isReleased ? (text, values) => runner.query(text, values) : "not open";
  },
};

/** "none": it is TypeORM's, but has no connection of its own. */
function runnerOf(given: object): QueryRunner | "none" | undefined {
  if (has(given, "startTransaction", "isTransactionActive", "query")) return given as QueryRunner;
  if (has(given, "getRepository", "createQueryBuilder", "query")) return (given as { readonly queryRunner?: QueryRunner }).queryRunner ?? "none";
  return undefined;
}
