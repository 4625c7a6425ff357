/** What errand uses of a library that stands on a driver: its own transaction object, recognised by its members, and raw SQL in it. */
import { ErrandError } from "../../core/errors.ts";
import type { Session } from "../client.ts";
import { failureOf } from "../failure.ts";
import { textOf } from "../values.ts";

export interface Adapter {
  /** What is told to who hands in something of this library that is no open transaction. */
  readonly cure: string;
  /** Undefined: `given` is nothing of this library's. "not open": it is, but its root, or a transaction that has ended. */
  recognise(given: object): AskRaw | "not open" | undefined;
}

/** One statement with `$1`, `$2`, … in it, each once and in their order; its rows. */
export type AskRaw = (text: string, values: readonly (string | null)[]) => PromiseLike<readonly unknown[]>;

/**
 * For statements that answer a row. It comes as text, whatever parsers, plugins and key mappers the library was given for the app's own queries.
 *
 * A transaction may have ended unseen, and its handle then commits each statement by itself. The server knows where values stand in the statement
 * ({@link literals}), so that it is one message: a transaction begins with its first one, and this one must not be it.
 */
export function overRaw(ask: AskRaw, cure: string): Session {
  return {
    query: async (text, values) => {
      const rows = await told(
        ask(`SELECT to_json(q)::text AS told FROM (${text}) q WHERE statement_timestamp() <> transaction_timestamp()`, values.map(textOf)),
      );
      if (rows.length === 0) throw notOpen(cure);
      return rows.map((row) => JSON.parse(row.told) as Readonly<Record<string, unknown>>);
    },
  };
}

export function notOpen(cure: string): ErrandError {
  return new ErrandError("tx-not-open", `what was given to within() is not in a transaction, so each statement would commit by itself; ${cure}`);
}

export function has(given: object, ...names: readonly string[]): boolean {
  return names.every((name) => name in given);
}

/** The text with its places put otherwise; what is quoted stays as it is. */
export function placed(text: string, place: (nth: number) => string): string {
  return text.replaceAll(/"(?:[^"]|"")*"|\$(\d+)/g, (whole, nth: string | undefined) => (nth === undefined ? whole : place(Number(nth) - 1)));
}

/** The statement with its values in it, which mean the same under any `standard_conforming_strings`. */
export function literals(text: string, values: readonly (string | null)[]): string {
  return placed(text, (nth) => {
    const value = values[nth] ?? null;
    return value === null ? "NULL" : `E'${value.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
  });
}

/** How deep libraries wrap what the driver threw. */
const wrappingsMax = 5;

async function told(asked: ReturnType<AskRaw>): Promise<readonly { readonly told: string }[]> {
  try {
    return (await asked) as readonly { readonly told: string }[];
  } catch (error) {
    throw failureOf(saidByServer(error), "the transaction", "sent");
  }
}

/** The driver's own error, where the library wrapped it: the one that carries the server's words. */
function saidByServer(error: unknown): unknown {
  let inner = error;
  for (let depth = 0; depth < wrappingsMax && typeof inner === "object" && inner !== null; depth += 1) {
    if ("severity" in inner) return inner;
    inner = (inner as { readonly cause?: unknown }).cause;
  }
  return error;
}
