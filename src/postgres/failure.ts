/** What the drivers throw, as errand's errors: the one place where they are told apart. */
import { postgresConnectMs } from "../core/defaults.ts";
import { ErrandError } from "../core/errors.ts";
import type { ErrorCode } from "../core/errors.ts";

/** Whether the statement may have reached the server by then. */
export type Sent = "sent" | "not sent";

interface Meaning {
  readonly code: ErrorCode;
  readonly cure: string;
  /** Whatever was sent: true, the server refused it or undid it; false, it may be done. Absent: it depends on whether it was sent. */
  readonly isDefinite?: boolean;
}

const gone: Meaning = {
  code: "store-unreachable",
  cure: "errand connects again by itself; if it lasts, check that the server runs and can be reached from here",
};
const goneUnsent: Meaning = { ...gone, isDefinite: true };
const taken: Meaning = {
  code: "store-unreachable",
  cure: "all connections of the pool are in use: let a transaction that holds one hand in by within(tx), or give the pool more; if none is, check that the server can be reached",
  isDefinite: true,
};
const conflict: Meaning = { code: "conflict-retry", cure: "another transaction came between; run yours again from its beginning", isDefinite: true };
const denied: Meaning = {
  code: "store-denied",
  cure: "grant the role of this connection what errand's schema needs, or connect as its owner",
  isDefinite: true,
};
const noLogin: Meaning = { code: "store-denied", cure: "check user, password and pg_hba.conf", isDefinite: true };
const missing: Meaning = {
  code: "store-moved",
  cure: "errand's schema is gone or half there; open the broker anew, so that it is made again",
  isDefinite: true,
};
const badText: Meaning = {
  code: "option-invalid",
  cure: "PostgreSQL stores no character U+0000; take it out of the payload, key or name",
  isDefinite: true,
};
const busy: Meaning = { code: "store-busy", cure: "look for a transaction of yours that stays open, or raise the timeout, then try again", isDefinite: true };
const full: Meaning = { code: "store-full", cure: "the server's disk has no room left; free some, then try again", isDefinite: true };
const crowded: Meaning = {
  code: "store-busy",
  cure: "hand in fewer jobs with an id or a unique key at once, in smaller transactions, or raise max_locks_per_transaction; if it is not the locks, the server needs memory",
  isDefinite: true,
};
const corrupt: Meaning = { code: "store-corrupt", cure: "the server says that its data are damaged; stop all writers and restore a backup" };

/** By SQLSTATE; else by its class, the first two characters. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const states: Readonly<Record<string, Meaning>> = {
  "08": gone,
  "22021": badText,
  "22P05": badText,
  "25006": {
    code: "store-readonly",
    cure: "this is a standby, or the transaction or the role is read-only; connect to the primary, with a role that may write",
    isDefinite: true,
  },
  "25P02": {
    code: "tx-not-open",
    cure: "an earlier statement of this transaction has failed, and its end can only be ROLLBACK: run it again from its beginning, with a SAVEPOINT before what may fail and ROLLBACK TO after it",
    isDefinite: true,
  },
  "28": noLogin,
  "3D000": { code: "store-denied", cure: "create the database, or name another one", isDefinite: true },
  "3F000": missing,
  "40001": conflict,
  "40P01": conflict,
  "42501": denied,
  "42704": missing,
  "42883": missing,
  "42P01": missing,
  "53100": full,
  "53200": crowded,
  "53300": {
    code: "store-unreachable",
    cure: "the server has no connection left; close some, raise max_connections, or put a pooler before it",
    isDefinite: true,
  },
  "55P03": busy,
  "57014": busy,
  // What ends the connection may come between the commit and its acknowledgement.
  "57P01": gone,
  "57P02": gone,
  "57P03": goneUnsent,
  "57P04": gone,
  "57P05": gone,
  "25P03": gone,
  "25P04": gone,
  XX001: corrupt,
  XX002: corrupt,
};

/** What is no answer of the server: by the driver's code, or by what it says. The first that fits. */
const losses: readonly (readonly [RegExp, Meaning])[] = [
  [/^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOENT|CONNECT_TIMEOUT|CONNECTION_ENDED|CONNECTION_CONNECT_TIMEOUT)$/, goneUnsent],
  [/^(ECONNRESET|EPIPE|ETIMEDOUT|CONNECTION_CLOSED|CONNECTION_DESTROYED)$/, gone],
  [/when trying to connect|no connection was free/, taken],
  [/due to connection timeout|is not queryable|after calling end on the pool/, goneUnsent],
  [/Connection terminated|Query read timeout|connection .*closed/i, gone],
  [/SSL|certificate|SASL|password/i, noLogin],
];
/** Poolers say most things by one state, that of a violation of the protocol. */
const pooled: readonly (readonly [RegExp, Meaning])[] = [
  [/database .* does not exist|no such database/, { ...noLogin, cure: "create the database, or name another one; the pooler may have its own list" }],
  [/authentication failed|no such user|does not exist/, { ...noLogin, cure: "check user and password, at the pooler and in pg_hba.conf" }],
  [/unsupported startup parameter/, { ...noLogin, cure: "take it out of the connection's options, or name it in the pooler's ignore_startup_parameters" }],
];
const unknown: Meaning = { code: "store-failed", cure: "see its cause" };
/** Of a pooler: it never sent the statement on. */
const neverPassedOn = /query_wait_timeout|no more connections allowed|server_login_retry|cannot connect/;

/** No connection of an app's pool was to be had in time. */
export function noneFree(): Error {
  return new Error(`no connection was free within ${postgresConnectMs / 1_000} s`);
}

export function failureOf(error: unknown, name: string, sent: Sent): ErrandError {
  if (error instanceof ErrandError) return error;
  const { code, cure, isDefinite } = meaningOf(error);
  const said = saidBy(error);
  const wasNotDone = sent === "not sent" || neverPassedOn.test(said) || (isDefinite ?? false);
  return new ErrandError(code, `${name}: ${said}: ${cure}`, { cause: error, details: { database: name, ...sqlState(error) }, isDefinite: wasNotDone });
}

/** Whether the connection is of no more use after it. */
export function endsConnection(error: unknown): boolean {
  const state = stateOf(error);
  if (state === undefined) return true;
  // A server that cannot be written may be the wrong one by now: whoever connects anew is led to another.
  return state === "25006" || state.startsWith("08") || state.startsWith("57P") || state === "25P03" || state === "25P04" || severityOf(error) === "FATAL";
}

function meaningOf(error: unknown): Meaning {
  const state = stateOf(error);
  if (codeOf(error) === "08P01") {
    const said = saidBy(error);
    const meaning = pooled.find(([pattern]) => pattern.test(said))?.[1];
    if (meaning !== undefined) return meaning;
  }
  // Any other error that the server answers has undone its statement.
  if (state !== undefined) return states[state] ?? states[state.slice(0, 2)] ?? { ...unknown, isDefinite: true };
  const words = [codeOf(error), ...messagesOf(error)];
  return losses.find(([pattern]) => words.some((word) => pattern.test(word)))?.[1] ?? unknown;
}

/** Five capitals or digits; Node's own codes are longer, or words. */
function stateOf(error: unknown): string | undefined {
  const code = codeOf(error);
  return /^[0-9A-Z]{5}$/.test(code) && severityOf(error) !== undefined ? code : undefined;
}

function severityOf(error: unknown): string | undefined {
  const { severity } = (error ?? {}) as { readonly severity?: unknown };
  return typeof severity === "string" ? severity : undefined;
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === "string" ? code : "";
}

/** A host of several addresses fails with an error of each. */
function messagesOf(error: unknown): readonly string[] {
  if (error instanceof AggregateError) return error.errors.flatMap((each: unknown) => [codeOf(each), ...messagesOf(each)]);
  return [error instanceof Error ? error.message : String(error)];
}

function saidBy(error: unknown): string {
  return messagesOf(error)
    .filter((message) => message !== "")
    .join(", ");
}

function sqlState(error: unknown): { readonly sqlState?: string } {
  const state = stateOf(error);
  return state === undefined ? {} : { sqlState: state };
}
