/** The transaction that an app hands in, as a session: by the driver's own handle, or by that of a library over it. Never what would commit by itself. */
import { ErrandError } from "../core/errors.ts";
import type { Adapter } from "./adapters/adapter.ts";
import { notOpen, overRaw } from "./adapters/adapter.ts";
import { drizzle } from "./adapters/drizzle.ts";
import { knex } from "./adapters/knex.ts";
import { kysely } from "./adapters/kysely.ts";
import { postgres } from "./adapters/postgres.ts";
import { prisma } from "./adapters/prisma.ts";
import { typeorm } from "./adapters/typeorm.ts";
import { isPgPool, sessionOf } from "./client.ts";
import type { Session } from "./client.ts";

const adapters: readonly Adapter[] = [postgres, drizzle, kysely, knex, prisma, typeorm];
const pooled = "take a client of the pool with pool.connect(), begin a transaction on it, and call within(client)";
const idle = "begin a transaction on it first, and call within(tx) between BEGIN and COMMIT";

/** Throws `tx-not-open`, `tx-unsupported`. */
export function callersTransaction(tx: unknown): Session {
  const own = sessionOf(tx);
  if (own?.isOpen === false) throw notOpen(idle);
  if (own !== undefined) return own.session;
  if (isPgPool(tx)) throw notOpen(pooled);
  for (const adapter of adapters) {
    const found = isObject(tx) ? adapter.recognise(tx) : undefined;
    if (found === "not open") throw notOpen(adapter.cure);
    if (found !== undefined) return overRaw(found, adapter.cure);
  }
  throw new ErrandError(
    "tx-unsupported",
    "within() on PostgreSQL takes the transaction of pg, postgres, Drizzle, Kysely, Knex, Prisma or TypeORM; hand in what the library gave you, or that of the driver below it",
  );
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
