/** What differs between what was believed and what is, in the words that a skipped job bears. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { difference, premiseNow } from "../../src/core/guard/compare.ts";

const rows: readonly { readonly expected: unknown; readonly found: unknown; readonly says: string | undefined }[] = [
  { expected: { version: 7 }, found: { version: 7, other: 1 }, says: undefined },
  { expected: { version: 7 }, found: { version: 9 }, says: "expected version 7, found 9" },
  { expected: { version: 7 }, found: undefined, says: "expected version 7, found nothing" },
  { expected: { version: 7, status: "open" }, found: null, says: 'expected version 7 and status "open", found nothing' },
  {
    expected: { version: 7, status: "open" },
    found: { version: 8, status: "void" },
    says: 'expected version 7, found 8; expected status "open", found "void"',
  },
  { expected: { version: 7, status: "open" }, found: { version: 7, status: "void" }, says: 'expected status "open", found "void"' },
  { expected: { version: 7 }, found: { version: 7n }, says: undefined },
  { expected: { version: 7 }, found: { version: 8n }, says: "expected version 7, found 8" },
  { expected: { version: 7 }, found: { version: "7" }, says: 'expected version 7, found "7"' },
  { expected: { cents: 0 }, found: { cents: false }, says: "expected cents 0, found false" },
  { expected: { paidAt: null }, found: { paidAt: null }, says: undefined },
  { expected: { paidAt: null }, found: {}, says: undefined },
  { expected: { paidAt: null }, found: { paidAt: "2026-01-01" }, says: 'expected paidAt nothing, found "2026-01-01"' },
  { expected: { tags: ["a", "b"] }, found: { tags: ["a", "b"] }, says: undefined },
  { expected: { tags: ["a", "b"] }, found: { tags: ["b", "a"] }, says: 'expected tags ["a","b"], found ["b","a"]' },
  { expected: { size: { w: 1, h: 2 } }, found: { size: { h: 2, w: 1 } }, says: undefined },
  { expected: { size: { w: 1 } }, found: { size: { w: 1, h: 2 } }, says: 'expected size {"w":1}, found {"w":1,"h":2}' },
  { expected: 7, found: 7, says: undefined },
  { expected: 7, found: 9, says: "expected 7, found 9" },
  { expected: "open", found: undefined, says: 'expected "open", found nothing' },
  { expected: { note: "x".repeat(100) }, found: { note: "y" }, says: `expected note "${"x".repeat(59)}…, found "y"` },
];

for (const { expected, found, says } of rows) {
  test(`${JSON.stringify(expected)?.slice(0, 40)} against ${typeof found === "object" && found !== null ? Object.values(found).map(String).join() : String(found)}: ${says ?? "holds"}`, () => {
    assert.equal(difference({ fields: expected }, found), says);
  });
}

test("a run that goes on all the same relies on the same fields as they are now", () => {
  assert.deepEqual(premiseNow({ fields: { version: 7 } }, { version: 9, status: "open" }), { fields: { version: 9 } });
  assert.deepEqual(premiseNow({ fields: 7 }, 9), { fields: 9 });
  const gone = premiseNow({ fields: { version: 7 } }, undefined);
  assert.equal(difference(gone, null), undefined);
  assert.equal(difference(gone, { version: 7 }), "expected nothing, found a record");
});
