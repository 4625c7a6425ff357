/** Tables beside the app's rows, in which its transactions hand in what another engine is to store: an outbox. Not errand's whole schema. */
import { outboxBytesMax, outboxRowsMax, outboxWorksMax, postgresMigrateLockMs } from "../core/defaults.ts";
import type * as port from "../core/engine.ts";
import { ErrandError } from "../core/errors.ts";
import { callersTransaction } from "./callersTransaction.ts";
import { databaseOf } from "./client.ts";
import type { Database, Session } from "./client.ts";
import { inSchema, literal, quoted } from "./quoting.ts";
import { durably } from "./transaction.ts";

const format = 1;
const countedMax = 1_000;

/** One row in outbox_relay: who moves rows on, and which. */
const tables = (store: string): string => `
CREATE TABLE @.outbox (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, works int NOT NULL, body text NOT NULL, at timestamptz NOT NULL);
CREATE TABLE @.outbox_set_aside (n bigint PRIMARY KEY, works int NOT NULL, body text NOT NULL, error text NOT NULL, at timestamptz NOT NULL);
CREATE TABLE @.outbox_relay (
  is_one boolean PRIMARY KEY CHECK (is_one), format int NOT NULL, store text NOT NULL,
  fence bigint NOT NULL, holder text, lease_until timestamptz, batch text NOT NULL, ns bigint[] NOT NULL
);
INSERT INTO @.outbox_relay VALUES (true, ${format}, ${literal(store)}, 0, NULL, NULL, '', '{}');

-- A function, since libraries pass on what answers rows. The numbers are taken before the commit, so what is handed in after it has a larger one.
CREATE FUNCTION @.outbox_add(_works int[], _bodies text[], _stated bigint) RETURNS bigint LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
  WITH added AS (
    INSERT INTO @.outbox (works, body, at)
      SELECT b.works, b.body, coalesce(to_timestamp(_stated / 1000.0), clock_timestamp()) FROM unnest(_works, _bodies) WITH ORDINALITY b (works, body, nth) ORDER BY b.nth
      RETURNING 1
  )
  SELECT count(*) FROM added
$$;

-- For people, when what was in its way is gone: behind what was handed in since. Answers whether there was one.
CREATE FUNCTION @.outbox_again(_n bigint) RETURNS boolean LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
  WITH one AS (DELETE FROM @.outbox_set_aside s WHERE s.n = _n RETURNING s.works, s.body, s.at),
    again AS (INSERT INTO @.outbox (works, body, at) SELECT o.works, o.body, o.at FROM one o RETURNING 1)
  SELECT EXISTS (SELECT 1 FROM again)
$$;
`;

/** Looks first, and writes only where there is a row and nobody else moves any. By primary keys. */
const lease = `
UPDATE @.outbox_relay r SET holder = $1, lease_until = clock_timestamp() + $2::float8 * interval '1 millisecond', fence = greatest(r.fence, $3::bigint) + 1
  FROM (SELECT ${durably}) d
  WHERE (r.holder IS NULL OR r.holder = $1 OR r.lease_until < clock_timestamp()) AND EXISTS (SELECT 1 FROM @.outbox)
  RETURNING r.fence`;

/**
 * A statement of its own: its snapshot is younger than the lease, so it sees all that the holder before left, and with each row all that was committed before that
 * was handed in. What was taken before and is not done yet comes again, as it was. By primary key.
 */
const batch = `
WITH first AS (SELECT o.n, o.works, octet_length(o.body) AS bytes FROM @.outbox o ORDER BY o.n LIMIT ${outboxRowsMax}),
  fitting AS (
    SELECT s.n FROM (SELECT f.n, row_number() OVER w AS nth, sum(f.works) OVER w AS works, sum(f.bytes) OVER w AS bytes FROM first f WINDOW w AS (ORDER BY f.n)) s
      WHERE s.nth = 1 OR (s.works <= ${outboxWorksMax} AND s.bytes <= ${outboxBytesMax})
  ),
  taken AS (
    UPDATE @.outbox_relay r SET batch = CASE WHEN k.is THEN r.batch ELSE $2 END, ns = CASE WHEN k.is THEN r.ns ELSE ARRAY(SELECT f.n FROM fitting f ORDER BY f.n) END
      FROM (SELECT EXISTS (SELECT 1 FROM @.outbox o, @.outbox_relay l WHERE o.n = ANY (l.ns)) AS is, ${durably}) k
      WHERE r.fence = $1::bigint
      RETURNING r.batch, r.ns
  )
SELECT t.batch, o.n, o.body, greatest(0, floor(extract(epoch FROM coalesce(to_timestamp($3::bigint / 1000.0), clock_timestamp()) - o.at) * 1000))::bigint AS "ageMs"
  FROM taken t JOIN @.outbox o ON o.n = ANY (t.ns) ORDER BY o.n`;

/** By primary keys. */
const done = `
WITH gone AS (DELETE FROM @.outbox o WHERE o.n = ANY ($1::bigint[]) RETURNING o.n, o.works, o.body, o.at),
  aside AS (
    INSERT INTO @.outbox_set_aside (n, works, body, error, at)
      SELECT g.n, g.works, g.body, e.error, g.at FROM gone g JOIN unnest($2::bigint[], $3::text[]) e (n, error) ON e.n = g.n
      RETURNING 1
  ),
  freed AS (UPDATE @.outbox_relay r SET holder = NULL, lease_until = NULL FROM (SELECT ${durably}) d WHERE r.fence = $4::bigint RETURNING 1)
SELECT count(*) FROM aside`;

const standing = `
SELECT (SELECT count(*) FROM (SELECT 1 FROM @.outbox_set_aside LIMIT ${countedMax}) s) AS "setAside",
  coalesce((SELECT greatest(0, extract(epoch FROM coalesce(to_timestamp($1::bigint / 1000.0), clock_timestamp()) - o.at) * 1000)::float8
    FROM @.outbox o ORDER BY o.n LIMIT 1), 0) AS "lagMs"`;

export class PostgresOutbox implements port.Outbox {
  readonly #given: unknown;
  readonly #schema: string;
  readonly #poolSize: number | undefined;
  #database: Database | undefined;

  constructor(given: unknown, schema: string, poolSize: number | undefined) {
    this.#given = given;
    this.#schema = schema;
    this.#poolSize = poolSize;
  }

  get name(): string {
    return `${this.#database?.name ?? "postgres"}, schema ${this.#schema}`;
  }

  async open({ runtime }: port.Host, store: string): Promise<void> {
    const after = runtime.storeTime === undefined ? runtime.after.bind(runtime) : undefined;
    const database = databaseOf(this.#given, this.#poolSize, after);
    try {
      // All of the SQL of errand's own schema comes with it.
      const { refuseUnfit } = await import("./install.ts");
      await refuseUnfit(database);
      await this.#make(database, store);
    } catch (error) {
      await database.close();
      throw error;
    }
    this.#database = database;
  }

  async close(): Promise<void> {
    const database = this.#database;
    this.#database = undefined;
    await database?.close();
  }

  joins(tx: unknown): "async" {
    callersTransaction(tx);
    return "async";
  }

  async add(atoms: readonly port.Atom[], at: port.At<unknown>): Promise<void> {
    const values = [atoms.map(({ works }) => works.length), atoms.map((atom) => JSON.stringify(atom)), at.now ?? null];
    try {
      await callersTransaction(at.tx).query(this.#sql("SELECT @.outbox_add($1::int[], $2::text[], $3::bigint) AS answer"), values);
    } catch (error) {
      throw inTheAppsTerms(error);
    }
  }

  async take({ by, leaseMs, above, batch: name }: port.OutboxTake, at: port.At): Promise<port.OutboxBatch | undefined> {
    const [leased] = await this.#query(lease, [by, leaseMs, above]);
    if (leased === undefined) return undefined;
    const fence = Number(leased["fence"]);
    const rows = await this.#query(batch, [fence, name, at.now ?? null]);
    const [first] = rows;
    if (first !== undefined) {
      return {
        batch: String(first["batch"]),
        fence,
        rows: rows.map((row) => ({ n: Number(row["n"]), body: String(row["body"]), ageMs: Number(row["ageMs"]) })),
      };
    }
    // Somebody whose lease was over took them away after all.
    await this.done({ fence, moved: [], refused: [] });
    return undefined;
  }

  async done({ fence, moved, refused }: port.OutboxDone): Promise<void> {
    const ns = refused.map(({ n }) => n);
    // No text of PostgreSQL's holds a NUL.
    const errors = refused.map(({ error }) => error.replaceAll("\0", ""));
    await this.#query(done, [[...moved, ...ns], ns, errors, fence]);
  }

  async standing(at: port.At): Promise<port.OutboxStanding> {
    const [row] = await this.#query(standing, [at.now ?? null]);
    return { lagMs: Number(row?.["lagMs"] ?? 0), setAside: Number(row?.["setAside"] ?? 0) };
  }

  #query(text: string, values: Parameters<Session["query"]>[1]): ReturnType<Session["query"]> {
    if (this.#database === undefined) throw new ErrandError("broker-closed", "the outbox is not open; open its broker before using it");
    return this.#database.query(this.#sql(text), values);
  }

  async #make(database: Database, store: string): Promise<void> {
    if (!(await this.#isThere(database))) await this.#makeAlone(database, store);
    const [row] = await database.query(this.#sql("SELECT format, store FROM @.outbox_relay"), []);
    const { format: version = 0, store: others = "" } = (row ?? {}) as { readonly format?: number; readonly store?: string };
    if (version > format) {
      throw new ErrandError(
        "store-newer",
        `the outbox in schema ${this.#schema} was written by a newer errand (format ${version}, known here: ${format}); update errand`,
      );
    }
    if (others === store) return;
    throw new ErrandError(
      "store-foreign",
      `the outbox in schema ${this.#schema} is that of ${others}, not of ${store}: its rows would go astray; name another schema: postgres(…, { schema: "…" })`,
    );
  }

  /** In the catalog itself: what to_regclass knows of a name that was not there may be older than the statement. */
  async #isThere(session: Session): Promise<boolean> {
    const rows = await session.query(
      "SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = 'outbox_relay'",
      [this.#schema],
    );
    return rows.length > 0;
  }

  /** All of it, or nothing; whoever comes second finds it done. */
  async #makeAlone(database: Database, store: string): Promise<void> {
    const reserved = await database.reserve();
    let state: "usable" | "broken" = "broken";
    try {
      await reserved.query("BEGIN ISOLATION LEVEL READ COMMITTED", []);
      await reserved.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 713)), set_config('lock_timeout', $2, true)", [
        this.#schema,
        `${postgresMigrateLockMs}ms`,
      ]);
      if (!(await this.#isThere(reserved))) {
        // `CREATE SCHEMA IF NOT EXISTS` asks for the right to make one even where it is there.
        const schemas = await reserved.query("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", [this.#schema]);
        if (schemas.length === 0) await reserved.query(`CREATE SCHEMA ${quoted(this.#schema)}`, []);
        await reserved.query(`DO $errand_do$ BEGIN EXECUTE $errand_all$ ${this.#sql(tables(store))} $errand_all$; END $errand_do$`, []);
      }
      await reserved.query("COMMIT", []);
      state = "usable";
    } catch (error) {
      await reserved.query("ROLLBACK", []).then(
        () => (state = "usable"),
        () => undefined,
      );
      throw error;
    } finally {
      reserved.release(state);
    }
  }

  #sql(text: string): string {
    return inSchema(text, this.#schema);
  }
}

/** In the app's own transaction, tables that are missing are missing in the app's database. */
function inTheAppsTerms(error: unknown): unknown {
  if (!(error instanceof ErrandError) || error.code !== "store-moved") return error;
  return new ErrandError(
    "tx-foreign",
    "the transaction given to within() is in a database without this broker's outbox; begin it in the database that the outbox was given, or give the outbox that one",
    { cause: error },
  );
}
