/** A database over the driver `postgres`. */
import { postgresAnswerMs, postgresConnectMs } from "../core/defaults.ts";
import type { Ms } from "../core/runtime.ts";
import type { Database, Ear, Hearing, Reach, Reserved } from "./client.ts";
import { isInstalled } from "./driver.ts";
import type { PostgresRows, PostgresSession, PostgresSql } from "./driver.ts";
import { failureOf, noneFree } from "./failure.ts";
import { within } from "./patience.ts";
import type { After } from "./patience.ts";
import { parserOf, textOf } from "./values.ts";
import type { Row, Value } from "./values.ts";

const reachNames = ["host", "port", "path", "database", "user", "pass", "ssl", "sslnegotiation", "target_session_attrs", "connection"];
/** "unknown": the server infers the type as it does without one, and the driver does not make JSON of what is JSON. */
const inferred = 705;

export class PostgresDatabase implements Database {
  readonly name: string;
  readonly isOurs: boolean;
  readonly #sql: PostgresSql;
  readonly #patience: Patience;

  /** `after`: bounds what the driver waits for without end, an answer or a connection out of its pool. */
  constructor(sql: PostgresSql, isOurs: boolean, after?: After, answerMs: Ms = postgresAnswerMs) {
    this.#sql = sql;
    this.#patience = { after, answerMs };
    this.isOurs = isOurs;
    this.name = nameOf(sql.options);
  }

  query(text: string, values: readonly Value[]): Promise<readonly Row[]> {
    return ask(this.#sql, this.name, this.#patience, text, values);
  }

  async reserve(): Promise<Reserved> {
    try {
      const sql = await within(this.#patience.after, postgresConnectMs, this.#sql.reserve(), noneFree, (late) => late.release());
      return new PostgresReserved(sql, this.name, this.#patience);
    } catch (error) {
      throw failureOf(error, this.name, "not sent");
    }
  }

  /** On a connection that the driver opens for it, and opens again. */
  async hear(channel: string, ear: Ear): Promise<Hearing> {
    let isOver = false;
    try {
      const listening = await this.#sql.listen(channel, (payload) => {
        if (!isOver) ear.heard(payload);
      });
      const end = (): void => {
        isOver = true;
        listening.unlisten().catch(() => undefined);
      };
      return { heals: true, end };
    } catch (error) {
      throw failureOf(error, this.name, "not sent");
    }
  }

  reach(): Reach | undefined {
    const all = this.#sql.options as Readonly<Record<string, unknown>>;
    const options = Object.fromEntries(reachNames.flatMap((name) => (all[name] ? [[name, all[name]]] : [])));
    if (typeof all["socket"] === "function" || !isInstalled("postgres")) return undefined;
    try {
      return { driver: "postgres", options: structuredClone(options) };
    } catch {
      return undefined;
    }
  }

  async close(): Promise<void> {
    if (this.isOurs) await this.#sql.end();
  }
}

class PostgresReserved implements Reserved {
  readonly #sql: PostgresSession & { release(): void };
  readonly #name: string;
  readonly #patience: Patience;

  constructor(sql: PostgresSession & { release(): void }, name: string, patience: Patience) {
    this.#sql = sql;
    this.#name = name;
    this.#patience = patience;
  }

  query(text: string, values: readonly Value[]): Promise<readonly Row[]> {
    return ask(this.#sql, this.#name, this.#patience, text, values);
  }

  /** The driver finds out by itself which of its connections are broken. */
  release(): void {
    this.#sql.release();
  }
}

interface Patience {
  readonly after: After | undefined;
  readonly answerMs: Ms;
}

/** One that is not answered is cancelled, also where it only waits for a connection: nobody asks for it any more. */
async function ask(sql: PostgresSession, name: string, { after, answerMs }: Patience, text: string, values: readonly Value[]): Promise<readonly Row[]> {
  try {
    const typed = values.map((value) => (value === null ? null : sql.typed(textOf(value), inferred)));
    const query = sql.unsafe(text, typed as never[]);
    const late = (): Error => {
      Promise.resolve(query.cancel()).catch(() => undefined);
      return new Error("Query read timeout");
    };
    return rowsOf(await within(after, answerMs, Promise.resolve(query.raw()), late));
  } catch (error) {
    throw failureOf(error, name, "sent");
  }
}

function rowsOf(raw: PostgresRows): readonly Row[] {
  const columns = (raw.columns ?? []).map(({ name, type }) => ({ name, parse: parserOf(type) }));
  return Array.from(raw, (row) => {
    const values = row as readonly (Buffer | null)[];
    return Object.fromEntries(columns.map(({ name, parse }, at) => [name, parsed(values[at] ?? null, parse)]));
  });
}

function parsed(value: Buffer | null, parse: (text: string) => unknown): unknown {
  return value === null ? null : parse(value.toString("utf8"));
}

function nameOf(options: object): string {
  const { host, port, database } = options as { readonly host?: readonly unknown[]; readonly port?: readonly unknown[]; readonly database?: unknown };
  return `postgres://${String(host?.[0])}:${String(port?.[0])}/${String(database)}`;
}
