/** A store's URL says which file, or is refused with the cure. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { broker, ErrandError, task } from "../../src/index.ts";
import { postgresStoreOf } from "../../src/stores.ts";

const refused: readonly (readonly [url: string, says: RegExp])[] = [
  ["sqlite://shop.db", /"sqlite:shop\.db".*"sqlite:\/shop\.db"/],
  ["sqlite:", /; use "sqlite:shop\.db"/],
  ["memory", /; use /],
  ["sqllite:shop.db", /did you mean "sqlite"\?/],
  ["mysql://app:secret@db/shop", /"mysql:\/\/…@db\/shop" names no store/],
  ["postgers://db/shop", /did you mean "postgres"\?/],
  ["postgres:shop", /"postgres:\/\/user@host\/shop"/],
  ["redis:6379", /"redis:\/\/host:6379\/0"/],
  ["reddis://host", /did you mean "redis(s)?"\?/],
];
for (const [url, says] of refused) {
  test(`the store ${url} is refused, and the message says what to write`, () => {
    assert.throws(
      () => broker(url),
      (error) => ErrandError.is(error, "engine-unknown") && says.test(error.message),
    );
  });
}

const postgresUrls: readonly (readonly [url: string, database: string, schema: string | undefined])[] = [
  ["postgres://app@db/shop", "postgres://app@db/shop", undefined],
  ["postgresql://app@db/shop?schema=jobs", "postgresql://app@db/shop", "jobs"],
  ["postgres://app@db/shop?sslmode=require&schema=my%24jobs&application_name=a+b", "postgres://app@db/shop?sslmode=require&application_name=a+b", "my$jobs"],
  ["postgres:///shop?host=/var/run/postgresql", "postgres:///shop?host=/var/run/postgresql", undefined],
];
for (const [url, database, schema] of postgresUrls) {
  test(`the store ${url} is PostgreSQL, and its schema is none of the driver's business`, () => {
    assert.deepEqual(postgresStoreOf(url), { database, schema });
  });
}

test("a schema that cannot be one is refused when the broker is made", () => {
  assert.throws(
    () => broker("postgres://db/shop?schema=pg_jobs"),
    (error) => ErrandError.is(error, "option-invalid") && /schema/.test(error.message),
  );
});

const redisUrls: readonly (readonly [url: string, says: RegExp])[] = [
  ["redis://db?prefix={shop}", /"\{shop\}" cannot be what errand's keys begin with/],
  ["redis://db?prefix=shop*", /"shop\*" cannot/],
  ["redis://db?prefix=a%0d%0ab", /"a\\r\\nb" cannot/],
  ["redis://db?prefix=", /"" cannot/],
  ["redis://app:secret@db/shop", /"redis:\/\/…@db\/shop" is no URL.*the path is the number of the database/],
  ["redis:///0", /is no URL of a Redis server/],
];
for (const [url, says] of redisUrls) {
  test(`the store ${url} is refused when the broker is made`, () => {
    assert.throws(
      () => broker(url),
      (error) => ErrandError.is(error, "option-invalid") && says.test(error.message),
    );
  });
}

test("a job's id that is no text is refused, and no broker answers for it", async () => {
  const noop = task("noop", () => undefined);
  await using work = broker("memory:", { noop });
  const accepted = await work.enqueue(noop.with({}));
  for (const look of [
    () => work.find(accepted as never),
    () => work.cancel(accepted as never),
    () => work.retry(undefined as never),
    () => work.why(accepted as never),
  ]) {
    await assert.rejects(look, (error) => ErrandError.is(error, "option-invalid") && /id/.test(error.message));
  }
});
