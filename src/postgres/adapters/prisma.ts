/** Prisma, over its adapter for `pg`: the `tx` of `prisma.$transaction(async (tx) => …)`. */
import { has } from "./adapter.ts";
import type { Adapter, AskRaw } from "./adapter.ts";

interface PrismaTransaction {
  $queryRawUnsafe(text: string, ...values: readonly (string | null)[]): PromiseLike<readonly unknown[]>;
  /** Of a root client. */
  readonly $connect?: unknown;
}

/** What it throws keeps the server's words apart. */
interface Wrapped {
  readonly meta?: { readonly driverAdapterError?: { readonly cause?: { readonly originalCode?: string; readonly originalMessage?: string } } };
}

export const prisma: Adapter = {
  cure: "take the tx of prisma.$transaction(async (tx) => …), and call within(tx) or job.commit(tx) before it ends",
  recognise: (given) => {
    if (!has(given, "$queryRawUnsafe", "$executeRawUnsafe")) return undefined;
    const tx = given as PrismaTransaction;
    return tx.$connect === undefined ? asker(tx) : "not open";
  },
};

function asker(tx: PrismaTransaction): AskRaw {
  return async (text, values) => {
    try {
      return await tx.$queryRawUnsafe(text, ...values);
    } catch (error) {
      throw asPgThrows(error);
    }
  };
}

function asPgThrows(error: unknown): unknown {
  const { originalCode, originalMessage } = (error as Wrapped | undefined)?.meta?.driverAdapterError?.cause ?? {};
  if (originalCode === undefined) return error;
  return Object.assign(new Error(originalMessage, { cause: error }), { code: originalCode, severity: "ERROR" });
}
