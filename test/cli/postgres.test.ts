/** The command line on PostgreSQL. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { broker } from "../../src/index.ts";
import { freshPlace } from "../postgres/places.ts";
import { postgresMissing } from "../postgres/server.ts";
import * as tasks from "./fixtures/tasks.ts";
import { Shop, type Ended } from "./shop.ts";

interface Told {
  readonly store: string;
  readonly lookedAt: readonly string[];
  readonly findings: readonly { readonly about: string; readonly what: string; readonly repair: string | null }[];
}

class OnPostgres implements AsyncDisposable {
  readonly shop = new Shop();
  readonly #place: Awaited<ReturnType<typeof freshPlace>>;

  private constructor(place: Awaited<ReturnType<typeof freshPlace>>) {
    this.#place = place;
  }

  static async open(): Promise<OnPostgres> {
    return new OnPostgres(await freshPlace());
  }

  get schema(): string {
    return this.#place.schema;
  }

  get url(): string {
    return `${this.#place.url}?schema=${this.schema}`;
  }

  errand(...args: readonly string[]): Promise<Ended> {
    return this.shop.ended(this.shop.start(args, { ERRAND_STORE: this.url }));
  }

  /** The server's own settings are whoever's it is. */
  async findings(): Promise<readonly string[]> {
    const { findings } = JSON.parse((await this.errand("doctor", "--json")).out) as Told;
    return findings.filter(({ about }) => about !== "settings").map(({ what }) => what);
  }

  async sql(text: string): Promise<void> {
    await this.#place.pool.query(text.replaceAll("@.", `${this.schema}.`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shop[Symbol.asyncDispose]();
    await this.#place.done();
  }
}

describe("the command line on PostgreSQL", { skip: postgresMissing ?? false, concurrency: 2 }, () => {
  it("makes no store by looking at one", async () => {
    await using on = await OnPostgres.open();
    for (const args of [["jobs"], ["queues", "pause", "mail"], ["locks"]]) {
      const { code, err } = await on.errand(...args);
      assert.equal(code, 2);
      assert.match(err, /no app and no worker has used that schema/);
    }
    assert.deepEqual(await on.findings(), [`there is no schema ${on.schema}; errand migrate makes it`]);
  });

  it("makes the schema, again makes its functions anew, and tells which of the two", async () => {
    await using on = await OnPostgres.open();
    assert.deepEqual((await on.errand("migrate")).out, `schema ${on.schema} was made, at version 1\n`);
    await on.sql("CREATE OR REPLACE FUNCTION @.first_due_at() RETURNS bigint LANGUAGE sql AS 'SELECT 7::bigint'");
    assert.deepEqual(await on.findings(), ["function first_due_at() is another than this version's"]);
    assert.deepEqual((await on.errand("migrate")).out, `schema ${on.schema} was at version 1; its functions were written anew\n`);
    assert.deepEqual(await on.findings(), []);
  });

  it("prints SQL that makes the schema, without connecting", async () => {
    await using on = await OnPostgres.open();
    const { code, out } = await on.shop.errand("migrate", "--print", "postgres://nobody@127.0.0.1:1/nowhere", "--schema", on.schema);
    assert.equal(code, 0);
    await on.sql(out);
    assert.deepEqual(await on.findings(), []);
  });

  it("says what is wrong and how to repair it, and what it has looked at", async () => {
    await using on = await OnPostgres.open();
    await on.errand("migrate");
    await on.sql("DROP INDEX @.running_process");
    const { code, out, err } = await on.errand("doctor");
    assert.equal(code, 1);
    assert.match(out, /^-- schema: index running_process is missing$/m);
    assert.match(out, new RegExp(`^CREATE INDEX CONCURRENTLY running_process ON "${on.schema}"\\.running USING btree \\(process, seq\\);$`, "m"));
    assert.match(err, /looked at the server's settings; sessions, prepared transactions, replication slots; .*its tables, columns, indexes/);
  });

  it("lists, pauses, works off, cancels and redrives what an app handed in", async () => {
    await using on = await OnPostgres.open();
    const work = broker(on.url, tasks);
    await work.enqueue([tasks.greet.with({ name: "Ada" }), tasks.greet.with({ name: "Grace" }, { in: "1h" }), tasks.fail.with({ why: "550" })]);
    assert.equal((await on.errand("queues", "pause", "mail", "--reason", "down")).code, 0);
    assert.match((await on.errand("jobs")).out, /queue mail is paused/);
    assert.equal((await on.errand("queues", "resume", "mail")).code, 0);
    const worker = on.shop.start(["work", new URL("./fixtures/tasks.ts", import.meta.url).pathname], {
      ERRAND_STORE: on.url.replace("//postgres@", "//postgres:secret@"),
    });
    const ended = on.shop.ended(worker);
    await on.shop.until("worked off", async () => (await work.count()).completed === 1 && (await work.count()).dead === 1);
    worker.kill("SIGTERM");
    const { out, err } = await ended;
    assert.match(out, /^working on postgres:\/\/…@.*: Survives kill -9/);
    assert.doesNotMatch(out + err, /secret/);
    assert.match((await on.errand("jobs", "--state", "dead")).out, /550/);
    assert.equal((await on.errand("jobs", "redrive", "--all")).code, 0);
    assert.equal((await on.errand("jobs", "cancel", "--state", "scheduled", "--task", "greet")).code, 0);
    const { ready, cancelled } = await work.count();
    assert.deepEqual([ready, cancelled], [1, 1]);
    for (const args of [["batches"], ["schedules"], ["rebuild", "--list"], ["locks"], ["metrics"]]) {
      const { code, err: told } = await on.errand(...args);
      assert.ok(code === 0 || code === 3, told);
    }
    await work.close();
  });
});
