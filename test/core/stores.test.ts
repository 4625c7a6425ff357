/** A store's URL says which file, or is refused with the cure. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { broker, ErrandError, task } from "../../src/index.ts";

const refused: readonly (readonly [url: string, says: RegExp])[] = [
  ["sqlite://shop.db", /"sqlite:shop\.db".*"sqlite:\/shop\.db"/],
  ["sqlite:", /; use "sqlite:shop\.db"/],
  ["memory", /; use /],
  ["sqllite:shop.db", /did you mean "sqlite"\?/],
  ["postgres://app:secret@db/shop", /"postgres:\/\/…@db\/shop" names no store/],
];
for (const [url, says] of refused) {
  test(`the store ${url} is refused, and the message says what to write`, () => {
    assert.throws(
      () => broker(url),
      (error) => ErrandError.is(error, "engine-unknown") && says.test(error.message),
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
