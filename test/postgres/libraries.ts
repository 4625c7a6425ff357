/** The libraries that apps have transactions by, each as its own documents show it. */
import { sql as drizzleSql } from "drizzle-orm";
import { drizzle as drizzleOverPg } from "drizzle-orm/node-postgres";
import { drizzle as drizzleOverPostgres } from "drizzle-orm/postgres-js";
import knexOf from "knex";
import { CamelCasePlugin, CompiledQuery, Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import postgres from "postgres";
import { DataSource } from "typeorm";
import type { Transaction } from "../../src/index.ts";
import { prismaClient } from "./prismaClient.ts";

export interface Library {
  readonly name: string;
  open(url: string): Promise<Opened>;
}

/** One statement in the transaction, by the library's own means. */
export type Statement = (text: string) => Promise<unknown>;

export interface Opened extends AsyncDisposable {
  /** What begins transactions, and is none. */
  readonly root: unknown;
  /** Commits, or rolls back with what `body` throws. */
  transaction(body: (tx: Transaction, run: Statement) => Promise<void>): Promise<void>;
}

export const libraries: readonly Library[] = [
  { name: "pg", open: overPg },
  { name: "postgres", open: overPostgres },
  { name: "Drizzle over pg", open: overDrizzleAndPg },
  { name: "Drizzle over postgres", open: overDrizzleAndPostgres },
  { name: "Kysely", open: (url) => overKysely(url, false) },
  { name: "Kysely, ended by hand", open: (url) => overKysely(url, true) },
  { name: "Knex", open: overKnex },
  { name: "Prisma", open: overPrisma },
  { name: "TypeORM", open: overTypeorm },
  { name: "TypeORM's query runner", open: overQueryRunner },
];

async function overPg(url: string): Promise<Opened> {
  const pool = new pg.Pool({ connectionString: url });
  const transaction: Opened["transaction"] = async (body) => {
    const client = await pool.connect();
    try {
      await client.query("BEGIN");
      await body(client, (text) => client.query(text));
      await client.query("COMMIT");
    } catch (error) {
      await client.query("ROLLBACK");
      throw error;
    } finally {
      client.release();
    }
  };
  return { root: pool, transaction, [Symbol.asyncDispose]: () => pool.end() };
}

async function overPostgres(url: string): Promise<Opened> {
  const sql = postgres(url);
  const transaction: Opened["transaction"] = async (body) => {
    await sql.begin(async (tx) => body(tx, async (text) => tx.unsafe(text)));
  };
  return { root: sql, transaction, [Symbol.asyncDispose]: () => sql.end() };
}

async function overDrizzleAndPg(url: string): Promise<Opened> {
  const pool = new pg.Pool({ connectionString: url });
  const db = drizzleOverPg(pool);
  const transaction: Opened["transaction"] = (body) => db.transaction((tx) => body(tx, (text) => tx.execute(drizzleSql.raw(text))));
  return { root: db, transaction, [Symbol.asyncDispose]: () => pool.end() };
}

async function overDrizzleAndPostgres(url: string): Promise<Opened> {
  const sql = postgres(url);
  const db = drizzleOverPostgres(sql);
  const transaction: Opened["transaction"] = (body) => db.transaction((tx) => body(tx, (text) => tx.execute(drizzleSql.raw(text))));
  return { root: db, transaction, [Symbol.asyncDispose]: () => sql.end() };
}

async function overKysely(url: string, isByHand: boolean): Promise<Opened> {
  const db = new Kysely<object>({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) }), plugins: [new CamelCasePlugin()] });
  const byItself: Opened["transaction"] = (body) => db.transaction().execute((trx) => body(trx, (text) => trx.executeQuery(CompiledQuery.raw(text))));
  const byHand: Opened["transaction"] = async (body) => {
    const trx = await db.startTransaction().execute();
    try {
      await body(trx, (text) => trx.executeQuery(CompiledQuery.raw(text)));
      await trx.commit().execute();
    } catch (error) {
      await trx.rollback().execute();
      throw error;
    }
  };
  return { root: db, transaction: isByHand ? byHand : byItself, [Symbol.asyncDispose]: () => db.destroy() };
}

async function overKnex(url: string): Promise<Opened> {
  const knex = knexOf({ client: "pg", connection: url, pool: { min: 0 } });
  const transaction: Opened["transaction"] = (body) => knex.transaction((trx) => body(trx, async (text) => trx.raw(text.replaceAll("?", "\\?"))));
  return { root: knex, transaction, [Symbol.asyncDispose]: () => knex.destroy() };
}

async function overPrisma(url: string): Promise<Opened> {
  const prisma = prismaClient(url);
  const transaction: Opened["transaction"] = (body) => prisma.$transaction((tx) => body(tx, (text) => tx.$executeRawUnsafe(text)));
  return { root: prisma, transaction, [Symbol.asyncDispose]: () => prisma.$disconnect() };
}

async function overTypeorm(url: string): Promise<Opened> {
  const dataSource = await new DataSource({ type: "postgres", url }).initialize();
  const transaction: Opened["transaction"] = (body) => dataSource.transaction((manager) => body(manager, (text) => manager.query(text)));
  return { root: dataSource.manager, transaction, [Symbol.asyncDispose]: () => dataSource.destroy() };
}

async function overQueryRunner(url: string): Promise<Opened> {
  const dataSource = await new DataSource({ type: "postgres", url }).initialize();
  const transaction: Opened["transaction"] = async (body) => {
    const runner = dataSource.createQueryRunner();
    await runner.startTransaction();
    try {
      await body(runner, (text) => runner.query(text));
      await runner.commitTransaction();
    } catch (error) {
      await runner.rollbackTransaction();
      throw error;
    } finally {
      await runner.release();
    }
  };
  return { root: dataSource, transaction, [Symbol.asyncDispose]: () => dataSource.destroy() };
}
