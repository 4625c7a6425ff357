/** Values that have come back changed from some store, as they are and in many places; and random ones, the same for the same seed. */
import fc from "fast-check";
import { payloadBytesMax, payloadDepthMax, payloadKeysMax } from "../../src/core/defaults.ts";

const bytes = (count: number): string => "x".repeat(count);

const texts: readonly string[] = [
  ..."\u0000\u0001\b\t\n\u000b\f\r\u001b\u001f \"'\\/\u007f\u0080\u0085\u00a0\u00ad\u200b\u200d\u2028\u2029\u202e\u2066\ufeff\ufffd\ufffe\uffff".split(""),
  "\ud800",
  "\udfff",
  "\udc00\ud800",
  "a\ud83d",
  "\ude00b",
  "\u{10000}",
  "\u{1f600}",
  "\u{10ffff}",
  "👩🏽‍🚀",
  "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
  "é",
  "e\u0301",
  "ﬁ",
  "İ",
  "ß",
  "ǆ",
  "ا\u064b",
  "שלום",
  "ﷺ",
  "null",
  "undefined",
  "NaN",
  "true",
  "0",
  "-0",
  "007",
  "1e999",
  "0x10",
  "1_000",
  "2026-01-01",
  "2026-01-01T00:00:00.000Z",
  "12:34",
  '{"a":1}',
  '["a"]',
  '"a"',
  "\\u0000",
  "\\ud800",
  "\\",
  "\\\\",
  "\\x",
  "$1",
  "$$",
  "?",
  ":a",
  "@b",
  "%s",
  "%",
  "%%",
  "{}",
  "{0}",
  "${a}",
  "#{a}",
  "'; DROP TABLE jobs; --",
  "\r\n*1\r\n$4\r\nQUIT\r\n",
  "errand:{0}",
  "a,b",
  "(a,b)",
  "\\N",
  "<script>",
  "]]>",
  "../../etc/passwd",
  "a\tb",
  " a ",
  "",
  "[]",
  "__proto__",
  "constructor",
  "prototype",
  "toJSON",
  "then",
  "hasOwnProperty",
  "length",
];

const numbers: readonly number[] = [
  ...[
    0,
    -0,
    1,
    -1,
    0.1,
    0.1 + 0.2,
    1 / 3,
    1e21,
    1e-7,
    5e-324,
    -5e-324,
    1e308,
    1.7976931348623157e308,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    2 ** 53 - 1,
    -(2 ** 53),
    2 ** 63,
  ],
  ...[
    2 ** 64,
    123456789012345680,
    9007199254740994,
    0.000001,
    1e-6,
    1.5e300,
    2.2250738585072014e-308,
    4.35,
    1.005,
    100,
    1e2,
    1e20,
    123e-20,
    14.000000000000002,
  ],
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.EPSILON],
];

class Money {
  readonly cents: number = 1;
}

const cycle: { self?: unknown } = {};
cycle.self = [cycle];

/** What JSON has no word for, or what its writer would change. */
const others: readonly unknown[] = [
  ...[null, true, false, undefined, 1n, -(2n ** 64n), Symbol("a"), Symbol.iterator, (): number => 1, class {}, new Date(0), new Date(Number.NaN)],
  ...[/a/, new Map(), new Map([[1, 2]]), new Set([1]), new WeakMap(), new Error("no"), new Money(), new Uint8Array(3), new ArrayBuffer(3), Buffer.from("a")],
  ...[Object(1), Object("a"), Object(true), Object(1n), new Number(-0), [1, undefined], [1, , 3], [,], Object.assign([1], { a: 1 })], // oxlint-disable-line no-sparse-arrays -- holes are the case
  ...[cycle, Object.create(null), Object.create({ a: 1 }), Object.assign(Object.create(null) as object, { a: 1 }), { toJSON: () => 1 }, { toJSON: 1 }],
  ...[{ [Symbol("a")]: 1 }, JSON.parse('{"__proto__":1}'), JSON.parse('{"a":[{"__proto__":{"b":1}}]}'), { constructor: { prototype: { a: 1 } } }, { then: 1 }],
  ...[
    {
      get a(): number {
        return 1;
      },
    },
    Object.freeze({ a: 1 }),
    new Proxy({ a: 1 }, {}),
    new URL("https://example.com"),
    new URLSearchParams("a=1"),
    Promise.resolve(1),
  ],
  ...[
    [],
    {},
    [[]],
    [{}],
    { a: {} },
    { a: [] },
    { a: undefined },
    { "": "" },
    { " ": 1 },
    { "\u0000": 1 },
    { "\ud800": 1 },
    { "a.b": { c: 1 } },
    { b: 1, a: 2 },
  ],
  ...[{ "1": 1, "0": 0, b: 1, "-1": 1, "01": 1 }, { é: 1, "e\u0301": 2 }, [[[[[[[[]]]]]]]], Array.from({ length: 100 }, (_, index) => index)],
];

/** At the edges of what a payload may be. The objects around a value count, too. */
const large: readonly unknown[] = [
  bytes(4_096),
  bytes(65_535),
  bytes(65_536),
  "é".repeat(60_000),
  "👩".repeat(30_000),
  "\u0000".repeat(40_000),
  '"'.repeat(100_000),
  "\\".repeat(131_000),
  bytes(payloadBytesMax - 12),
  bytes(payloadBytesMax - 11),
  "é".repeat(payloadBytesMax / 2 - 6),
  "é".repeat(payloadBytesMax / 2 - 5),
  bytes(payloadBytesMax * 2),
  ...[-4, -3, -2, -1, 0, 1].map((more) => nested(payloadDepthMax + more, (inner) => [inner])),
  ...[-4, -3, -2, -1, 0, 1].map((more) => nested(payloadDepthMax + more, (inner) => ({ a: inner }))),
  nested(20_000, (inner) => [inner]),
  ...[-3, -2, -1, 0, 1].map((more) => Array.from({ length: payloadKeysMax + more }, () => 0)),
  ...[-3, -2, -1, 0, 1].map((more) => Object.fromEntries(Array.from({ length: payloadKeysMax + more }, (_, index) => [`k${index}`, 0]))),
];

function nested(levels: number, around: (inner: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = around(value);
  return value;
}

const randomValues: fc.Arbitrary<unknown> = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.array(fc.nat({ max: 0xffff }), { maxLength: 12 }).map((units) => String.fromCharCode(...units)),
  fc.double(),
  fc.float(),
  fc.maxSafeInteger(),
  fc.bigInt(),
  fc.date({ noInvalidDate: false }),
  fc.jsonValue({ stringUnit: "binary" }),
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withNullPrototype: true, withSparseArray: true, withTypedArray: true }),
);

export function hostileValues(seed: number, random: number): readonly unknown[] {
  const plain: readonly unknown[] = [...texts, ...numbers, ...others];
  const placed = plain.flatMap((value) => [value, [value], { inner: value }, [{ deep: [value, value] }]]);
  const keys = texts.map((text) => Object.fromEntries([[text, 1]]));
  const beside = texts.map((text) => `a${text}b${text}`);
  return [...placed, ...keys, ...beside, ...large, ...fc.sample(randomValues, { seed, numRuns: random })];
}

export function hostileTexts(seed: number, random: number): readonly string[] {
  const units = fc.array(fc.nat({ max: 0xffff }), { maxLength: 12 }).map((codes) => String.fromCharCode(...codes));
  return [...texts, ...fc.sample(fc.oneof(units, fc.string({ unit: "binary", maxLength: 40 })), { seed, numRuns: random })];
}
