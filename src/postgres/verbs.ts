/** The verbs as statements: one function, one round trip each. */
import { leaseMs, postgresLockMs } from "../core/defaults.ts";
import type { At } from "../core/engine.ts";
import { ErrandError } from "../core/errors.ts";
import type { Ms, Runtime } from "../core/runtime.ts";
import type { Session, Value } from "./client.ts";
import { quoted } from "./quoting.ts";

export interface Answered<T> {
  readonly answer: T;
  /** Work may have become ready. */
  readonly isReadied: boolean;
}

/** How often a call that lost to another one, and changed nothing, is made again. */
const triesMax = 5;
const firstPauseMs = 2;
const uniqueViolation = "23505";

/** For the thread that beats. Tried again sooner than a lease ends: one that waits for a lock must be over by then. */
export function beatStatement(schema: string): string {
  return `SELECT ${quoted(schema)}.verb_beat($1, $2, NULL) -> 'answer' AS heard FROM ${waitingAtMost(leaseMs / 4)}`;
}

/**
 * Read at each wait for a lock, so it holds within the statement that sets it, and ends with its transaction: sessions stay as they are, also a pooler's. A statement_timeout
 * is read at a statement's begin and would need more round trips; what is not answered is cancelled. Measured: 0.02 ms.
 */
function waitingAtMost(ms: Ms): string {
  return `(SELECT set_config('lock_timeout', CASE current_setting('lock_timeout') WHEN '0' THEN '${ms}ms' ELSE current_setting('lock_timeout') END, true)) AS bound`;
}

export class Verbs {
  readonly #schema: string;
  readonly #runtime: Runtime;
  readonly #bound: string;

  constructor(schema: string, runtime: Runtime, lockMs: Ms = postgresLockMs) {
    this.#schema = quoted(schema);
    this.#runtime = runtime;
    this.#bound = ` FROM ${waitingAtMost(lockMs)}`;
  }

  /** In the session's own transaction, or in the caller's. Undefined: the function answered null, or `whenTaken` is that, and an id is known. */
  async call<T>(session: Session, verb: string, values: readonly Value[], at: At<unknown>, whenTaken?: "undefined"): Promise<Answered<T> | undefined> {
    const all = [...values, at.now ?? null];
    const text = `SELECT ${this.#schema}.${verb}(${all.map((_, index) => `$${index + 1}`).join(", ")}) AS answer${at.tx === undefined ? this.#bound : ""}`;
    for (let isReadied = false; ;) {
      const rows = await (at.tx === undefined ? this.#again(session, text, all, whenTaken) : session.query(text, all).catch(inTheAppsTerms));
      const answered = (rows[0]?.["answer"] ?? undefined) as Answered<T> | undefined;
      if (answered === undefined) return undefined;
      isReadied ||= answered.isReadied;
      // Without an answer: callers' transactions left more to take in first than one call should.
      if ("answer" in answered) return { answer: answered.answer, isReadied };
    }
  }

  /**
   * Serialization failures and deadlocks with the app's transactions change nothing: the same call again is right. So it is where another one stored the same id
   * without the write lock meanwhile: it is known then.
   */
  async #again(session: Session, text: string, values: readonly Value[], whenTaken: "undefined" | undefined): ReturnType<Session["query"]> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await session.query(text, values);
      } catch (error) {
        if (whenTaken === "undefined" && isTaken(error)) return [];
        if (!(error instanceof ErrandError) || (error.code !== "conflict-retry" && !isTaken(error)) || tries >= triesMax) throw error;
        const pauseMs = firstPauseMs * 2 ** tries * this.#runtime.random();
        await new Promise<void>((resolve) => void this.#runtime.after(pauseMs, resolve));
      }
    }
  }
}

/** In the app's own transaction, a schema that is missing is missing in the app's database, and a name is taken by one that its snapshot does not show. */
function inTheAppsTerms(error: unknown): never {
  if (isTaken(error)) {
    throw new ErrandError("conflict-retry", "another transaction promised the same id or unique key since this one began; run yours again from its beginning", {
      cause: error,
    });
  }
  if (!(error instanceof ErrandError) || error.code !== "store-moved") throw error;
  throw new ErrandError(
    "tx-foreign",
    "the transaction given to within() is in a database without this broker's schema; begin it in the database that the broker was given, or give the broker that one",
    { cause: error },
  );
}

function isTaken(error: unknown): boolean {
  const { cause } = error as { readonly cause?: { readonly code?: unknown } };
  return cause?.code === uniqueViolation;
}
