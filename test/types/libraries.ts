/** What `within` and `job.commit` answer for the transactions that the libraries themselves hand over. The type check of the repository is the test. */
import type { NodePgDatabase } from "drizzle-orm/node-postgres";
import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";
import type { Knex } from "knex";
import type { ControlledTransaction, Transaction as KyselyTransaction } from "kysely";
import type pg from "pg";
import type postgres from "postgres";
import type { EntityManager, QueryRunner } from "typeorm";
import type { Broker, Job, Scope, Transaction } from "../../src/index.ts";
import type { PrismaTransaction } from "../postgres/prismaClient.ts";

interface Tables {
  readonly orders: { readonly id: string };
}
type OfDrizzle<Db extends NodePgDatabase | PostgresJsDatabase> = Parameters<Parameters<Db["transaction"]>[0]>[0];
type ScopeIn<T extends Transaction> = ReturnType<typeof work.within<T>>;
type CommitIn<T extends Transaction> = ReturnType<typeof job.commit<T>>;
type Answers<T extends Transaction> = [ScopeIn<T>, CommitIn<T>];
type Asynchronous = [Scope, Promise<void>];

declare const work: Broker;
declare const job: Job;

/** True only for the same type. */
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_isSame: Equal<A, B>): void {}

same<Answers<pg.Client>, Asynchronous>(true);
same<Answers<pg.PoolClient>, Asynchronous>(true);
same<Answers<postgres.TransactionSql>, Asynchronous>(true);
same<Answers<OfDrizzle<NodePgDatabase>>, Asynchronous>(true);
same<Answers<OfDrizzle<PostgresJsDatabase>>, Asynchronous>(true);
same<Answers<KyselyTransaction<Tables>>, Asynchronous>(true);
same<Answers<ControlledTransaction<Tables>>, Asynchronous>(true);
same<Answers<Knex.Transaction>, Asynchronous>(true);
same<Answers<PrismaTransaction>, Asynchronous>(true);
same<Answers<EntityManager>, Asynchronous>(true);
same<Answers<QueryRunner>, Asynchronous>(true);
