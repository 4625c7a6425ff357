/** A database over the driver `pg`. */
import { postgresAnswerMs, postgresConnectMs } from "../core/defaults.ts";
import type { Ms } from "../core/runtime.ts";
import { cancelRequest } from "./cancelRequest.ts";
import type { Database, Ear, Hearing, Reach, Reserved, Session } from "./client.ts";
import { isInstalled, loadPg } from "./driver.ts";
import type { PgClient, PgClientClass, PgPool, PgPoolClient } from "./driver.ts";
import { endsConnection, failureOf, noneFree } from "./failure.ts";
import { within } from "./patience.ts";
import type { After } from "./patience.ts";
import { parserOf, textOf } from "./values.ts";
import type { Row, Value } from "./values.ts";

/** In what `pg` takes to connect; the rest is about pooling, or cannot be told to another thread. */
const reachNames = ["connectionString", "host", "port", "user", "password", "database", "ssl", "options"];
const types = { getTypeParser: parserOf };
const applicationName = "errand";
/** As `pg` says that a statement was not answered in time. */
const readTimeout = "Query read timeout";

export function pgPoolOptions(url: string | undefined, poolSize: number): object {
  return {
    ...(url !== undefined && { connectionString: url }),
    max: poolSize,
    // Its size is constant (0: never closed for being idle), and it keeps no process alive that has nothing else to do.
    idleTimeoutMillis: 0,
    allowExitOnIdle: true,
    connectionTimeoutMillis: postgresConnectMs,
    keepAlive: true,
    application_name: applicationName,
  };
}

export class PgDatabase implements Database {
  readonly name: string;
  readonly isOurs: boolean;
  readonly #pool: PgPool;
  readonly #answerMs: Ms;
  readonly #after: After | undefined;

  /** `answerMs`: a statement that is not answered by then fails, and its connection is given up. `after`: bounds the wait for a connection, where the pool does not. */
  constructor(pool: PgPool, isOurs: boolean, answerMs: Ms = postgresAnswerMs, after?: After) {
    this.#pool = pool;
    this.#answerMs = answerMs;
    this.#after = after;
    this.isOurs = isOurs;
    this.name = nameOf(pool.options);
  }

  async query(text: string, values: readonly Value[]): Promise<readonly Row[]> {
    const reserved = await this.reserve();
    try {
      return await reserved.query(text, values);
    } finally {
      reserved.release();
    }
  }

  async reserve(): Promise<Reserved> {
    try {
      const client = await within(this.#after, postgresConnectMs, this.#pool.connect(), noneFree, (late) => late.release());
      return new PgReserved(client, this.name, this.#answerMs);
    } catch (error) {
      throw failureOf(error, this.name, "not sent");
    }
  }

  async hear(channel: string, ear: Ear): Promise<Hearing> {
    const { Client = loadPg().Client } = this.#pool as { readonly Client?: PgClientClass };
    const client = new Client({ ...shown(this.#pool.options), connectionTimeoutMillis: postgresConnectMs, keepAlive: true, application_name: applicationName });
    let isOver = false;
    const end = (error?: Error): void => {
      if (isOver) return;
      isOver = true;
      if (error !== undefined) ear.lost(error);
    };
    client.on("error", (error) => end(error));
    client.on("end", () => end(new Error("the connection that listens was closed")));
    client.on("notification", (message) => {
      if (!isOver && message.channel === channel) ear.heard(message.payload ?? "");
    });
    const close = (): void => {
      end();
      // Half open, it would never say goodbye; that it cannot be ended well is no failure.
      client.end().catch(() => undefined);
    };
    try {
      await client.connect();
      client.unref?.();
      await client.query({ text: `LISTEN "${channel.replaceAll('"', '""')}"`, values: [], types, query_timeout: this.#answerMs });
    } catch (error) {
      close();
      throw failureOf(error, this.name, "not sent");
    }
    return { heals: false, end: close };
  }

  reach(): Reach | undefined {
    const all = shown(this.#pool.options);
    const options = Object.fromEntries(reachNames.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]])));
    return isCloneable(options) && isInstalled("pg") ? { driver: "pg", options } : undefined;
  }

  async close(): Promise<void> {
    if (this.isOurs) await this.#pool.end();
  }
}

/** A client of the caller's: what breaks it is the caller's to hear of. */
export function overPg(client: PgClient, name: string): Session {
  return { query: (text, values) => ask(client, name, postgresAnswerMs, text, values) };
}

class PgReserved implements Reserved {
  readonly #client: PgPoolClient;
  readonly #name: string;
  readonly #answerMs: Ms;
  #broken: Error | undefined;

  constructor(client: PgPoolClient, name: string, answerMs: Ms) {
    this.#client = client;
    this.#name = name;
    this.#answerMs = answerMs;
    // Out of its pool nobody else listens, and an "error" that nobody hears ends the process.
    client.on("error", this.#noteError);
  }

  async query(text: string, values: readonly Value[]): Promise<readonly Row[]> {
    try {
      return await ask(this.#client, this.#name, this.#answerMs, text, values);
    } catch (error) {
      if (error instanceof Error && endsConnection(error.cause)) this.#broken ??= error;
      throw error;
    }
  }

  release(state: "usable" | "broken" = "usable"): void {
    this.#client.removeListener("error", this.#noteError);
    this.#client.release(state === "broken" ? (this.#broken ?? new Error("its state is unknown")) : this.#broken);
  }

  readonly #noteError = (error: Error): void => {
    this.#broken ??= error;
  };
}

async function ask(client: PgClient, name: string, answerMs: Ms, text: string, values: readonly Value[]): Promise<readonly Row[]> {
  try {
    const { rows } = await client.query({ text, values: values.map(textOf), types, query_timeout: answerMs });
    return rows as readonly Row[];
  } catch (error) {
    if (error instanceof Error && error.message === readTimeout) cancelRequest(client);
    throw failureOf(error, name, "sent");
  }
}

/** `pg` hides the password from those who print its options, and so from copies. */
function shown(options: object): Record<string, unknown> {
  return Object.defineProperties({}, Object.fromEntries(Object.entries(Object.getOwnPropertyDescriptors(options)).map(enumerable)));
}

function enumerable([name, descriptor]: [string, PropertyDescriptor]): [string, PropertyDescriptor] {
  return [name, { ...descriptor, enumerable: true }];
}

function isCloneable(options: object): boolean {
  try {
    structuredClone(options);
    return true;
  } catch {
    return false;
  }
}

function nameOf(options: object): string {
  const { connectionString, host, port, database } = options as Readonly<Record<string, unknown>>;
  if (typeof connectionString === "string" && URL.canParse(connectionString)) {
    const url = new URL(connectionString);
    return `${url.protocol}//${url.host}${url.pathname}`;
  }
  const place = typeof host === "string" ? `${host}${typeof port === "number" ? `:${port}` : ""}` : "the server";
  return typeof database === "string" ? `postgres://${place}/${database}` : `postgres://${place}`;
}
