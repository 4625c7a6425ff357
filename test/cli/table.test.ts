import assert from "node:assert/strict";
import { it } from "node:test";
import { indented, plain, plainJson } from "../../src/cli/plain.ts";
import { table, type Column } from "../../src/cli/table.ts";
import { cut, pad, textWidth } from "../../src/cli/textWidth.ts";

interface Row {
  readonly id: string;
  readonly task: string;
  readonly jobs: number;
  readonly why: string;
}

const columns: readonly Column<Row>[] = [
  { title: "id", of: ({ id }) => id },
  { title: "task", of: ({ task }) => task, spare: 1 },
  { title: "jobs", of: ({ jobs }) => jobs, spare: 2 },
  { title: "why", of: ({ why }) => why, isFree: true },
];
const rows: readonly Row[] = [
  { id: "0123456789abcdef", task: "send", jobs: 1_234, why: "the provider of the mail server had closed the connection" },
  { id: "fedcba9876543210", task: "日本", jobs: 5, why: "" },
];

/** Width of the terminal, and what it shows. */
const shown: readonly (readonly [number | undefined, string])[] = [
  [
    undefined,
    "id                task   jobs  why\n0123456789abcdef  send  1,234  the provider of the mail server had closed the connection\nfedcba9876543210  日本      5",
  ],
  [60, "id                task   jobs  why\n0123456789abcdef  send  1,234  the provider of the mail ser…\nfedcba9876543210  日本      5"],
  [50, "id                task  why\n0123456789abcdef  send  the provider of the mail …\nfedcba9876543210  日本"],
  [42, "id                why\n0123456789abcdef  the provider of the mai…\nfedcba9876543210"],
  [30, "id                task   jobs\n0123456789abcdef  send  1,234\n    the provider of the mail …\nfedcba9876543210  日本      5"],
  [10, "id\n0123456789abcdef\n    the p…\nfedcba9876543210"],
];

for (const [width, text] of shown) {
  it(`a table of ${width ?? "any"} columns lines up, cuts the last one and never an id`, () => {
    assert.equal(table(rows, columns, width), text);
    if (width !== undefined && width >= 16) assert.ok(text.split("\n").every((line) => textWidth(line) <= width));
  });
}

it("a text is as wide as a terminal shows it", () => {
  for (const [text, width] of [
    ["abc", 3],
    ["日本", 4],
    ["é", 1],
    ["e\u0301", 1],
    ["👍🏽", 2],
    ["", 0],
  ] as const)
    assert.equal(textWidth(text), width, text);
  assert.deepEqual([cut("日本語", 5), cut("abcdef", 4), cut("abc", 3), pad("日", 4), pad("7", 3, true)], ["日本…", "abc…", "abc", "日  ", "  7"]);
});

it("what would act on a terminal becomes visible", () => {
  assert.equal(plain("a\u001b[2J\tb\r\nc\u009bd\u202ee\u0000"), "a\\x1b[2J b c\\x9bd\\u202ee\\x00");
  assert.equal(indented("a\nb\nc", 2), "  a\n  b\n  … 1 more lines; --json has all");
  const value = { text: "\u001b\u009b\u202e\u200b\u007f" };
  assert.match(plainJson(value), /^[\x20-\x7e\n]*$/);
  assert.deepEqual(JSON.parse(plainJson(value)), value);
});
