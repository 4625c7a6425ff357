/** What an engine's script refuses, by name, becomes the error of that code: definite, and with what was refused in it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { errorOf, isRefusal, type Refusal } from "../../src/core/refused.ts";

const rows: readonly (readonly [refused: Refusal, says: RegExp])[] = [
  [{ refusal: "enqueue-too-many", works: 501, notes: 0 }, /501/],
  [{ refusal: "option-invalid", kind: "job", id: "j7", is: "after", count: 1_000 }, /j7.*1,?000|1,?000.*j7/],
  [{ refusal: "id-conflict", kind: "job", id: "j7" }, /j7/],
  [{ refusal: "after-unknown", id: "a7", by: "j7" }, /j7.* names a7/],
  [{ refusal: "graph-cycle", id: "a7", by: "j7" }, /j7/],
  [{ refusal: "join-closed", id: "b7" }, /b7/],
  [{ refusal: "join-incomplete", id: "b7", given: 3, size: 5 }, /b7.*3.*5|b7.*5.*3/],
  [{ refusal: "note-conflict", key: "limit/x", version: 3, ifVersion: 2 }, /limit\/x is at version 3, not 2/],
  [{ refusal: "lease-lost", process: "p7", name: "door" }, /p7 was taken back; ask for lock door/],
  [{ refusal: "permits-conflict", name: "door", asked: 3, others: 2 }, /door.*3.*2|door.*2.*3/],
  [{ refusal: "store-full", message: "in words of its own; wait" }, /in words of its own/],
];
for (const [refused, says] of rows)
  test(`${refused.refusal} is told as such`, () => {
    assert.ok(isRefusal(refused));
    const error = errorOf(refused);
    assert.equal(error.code, refused.refusal);
    assert.match(error.message, says);
  });

test("a conflict about a note tells its versions, and words of its own keep their details", () => {
  assert.deepEqual(errorOf({ refusal: "note-conflict", key: "k", version: 3, ifVersion: 2 }).details, { key: "k", version: 3, ifVersion: 2 });
  assert.deepEqual(errorOf({ refusal: "store-full", message: "full; wait", details: { mib: 7 } }).details, { mib: 7 });
});

test("answers are no refusals", () => {
  for (const answer of [null, undefined, "refusal", [], { id: "7" }]) assert.equal(isRefusal(answer), false);
});
