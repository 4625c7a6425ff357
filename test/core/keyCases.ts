/** Payloads, subscriptions and numbers from which engines make names as core/keys.ts does: as odd as they come. */
import fc from "fast-check";
import { jobFor } from "../../src/core/fanOut.ts";
import type { NewJob } from "../../src/core/engine.ts";
import type { StoredKeyLimit, StoredSubscription } from "../../src/core/notes.ts";

/** One event, one subscription, and the job that is made of them. */
export interface KeyCase {
  readonly event: { readonly id: string; readonly name: string; readonly payload: string; readonly orderedBy?: readonly string[] };
  readonly subscription: StoredSubscription;
  readonly job: NewJob;
}

const units = [
  "a",
  "\\",
  '"',
  "/",
  "u0000",
  "\u0000",
  "\u0001",
  "\b",
  "\t",
  "\n",
  "\f",
  "\r",
  "\u001f",
  "\u007f",
  "é",
  "\u2028",
  "\ufdd0",
  "1",
  "\uffff",
  "😀",
];
const halves = ["\ud800", "\udc00", "\ud83d", "\ude00"];
const texts = fc.array(fc.constantFrom(...units, ...halves), { maxLength: 6 }).map((parts) => parts.join(""));
const longTexts = fc.tuple(fc.constantFrom("x", "é", "😀", "\u0001", '"'), fc.integer({ min: 30, max: 220 })).map(([unit, times]) => unit.repeat(times));
const powers = fc.integer({ min: -323, max: 308 });
const numbers = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  powers.map((power) => Number(`1e${power}`)),
);
const scalars = fc.oneof(texts, longTexts, numbers, fc.boolean(), fc.constant(null));
/** None with a backslash: V8 may take one for another that is written with an escape (JSON.parse('{"":1,"\\\\":2}'), then '{"":1,"\\n":2}'). */
const fields = ["a", "b", "", "0", "length", "ü", '"', "/", "\u0000", "\ud83d", "\ufdd0"];
const payloads = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.dictionary(fc.constantFrom(...fields), fc.oneof({ weight: 5, arbitrary: scalars }, { weight: 1, arbitrary: fc.constantFrom([], {}, ["a"]) })),
  },
  { weight: 1, arbitrary: fc.constantFrom(null, "text", 7, ["x", 1, null, []], true) },
);

const keys = fc.uniqueArray(fc.constantFrom(...fields), { minLength: 1, maxLength: 3 });
/** They cross as JSON, which servers decode to text that holds neither a zero nor half a surrogate pair. */
const keysOfEvent = keys.filter((names) => names.every((name) => name.isWellFormed() && !name.includes("\0")));
const except = fc.dictionary(fc.oneof(texts, fc.constantFrom("null", "true", "1")), fc.integer({ min: 0, max: 9 }));
const keyLimits: fc.Arbitrary<StoredKeyLimit> = fc.record(
  {
    scope: fc.constantFrom("apply-entry", "limit:per-account"),
    per: keys,
    is: fc.constantFrom({ running: 3 }, { starts: 2, everyMs: 1_000 }),
    except,
  },
  { requiredKeys: ["scope", "per", "is"] },
);
const modes = [{ is: "keep" }, { is: "one-more" }, { is: "throttle", windowMs: 5 }, { is: "gather", quietMs: 1, atMostMs: 9, most: 4 }] as const;
const subscriptions: fc.Arbitrary<StoredSubscription> = fc.record(
  {
    name: fc.constantFrom("apply-entry", "book.entry"),
    event: fc.constant("entry.made"),
    since: fc.constant("now"),
    task: fc.constantFrom("apply-entry", "t"),
    queue: fc.constant("default"),
    headStartMs: fc.constantFrom(0, 60_000),
    delayMs: fc.constantFrom(0, 7),
    isMapped: fc.boolean(),
    orderedBy: keys,
    ifDead: fc.constantFrom("park", "block", "continue"),
    uniqueBy: keys,
    uniqueMode: fc.constantFrom(...modes),
    keyLimits: fc.array(keyLimits, { minLength: 1, maxLength: 2 }),
    keep: fc.constant({ completed: 1, skipped: 2, cancelled: 3, dead: 4 }),
    version: fc.constant(2),
  },
  { requiredKeys: ["name", "event", "since", "task", "queue", "headStartMs", "delayMs", "isMapped", "keep"] },
);

const asked = fc.record({ payload: payloads, isForeign: fc.boolean(), orderedBy: fc.option(keysOfEvent, { nil: undefined }), subscription: subscriptions });

export function keyCases(numRuns: number, seed: number): KeyCase[] {
  return fc.sample(asked, { numRuns, seed }).map(({ payload, isForeign, orderedBy, subscription }, n) => {
    const event = { id: `event-${n}`, name: "entry.made", payload: isForeign ? foreign(payload) : JSON.stringify(payload), ...(orderedBy && { orderedBy }) };
    return { event, subscription, job: jobFor(event, subscription) };
  });
}

const written = fc.stringMatching(/^-?(?:0|[1-9][0-9]{0,20})(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,3})?$/);
const between = fc
  .tuple(fc.bigInt({ min: 2n ** 52n, max: 2n ** 53n }), fc.integer({ min: -1_000, max: 900 }))
  .map(([digits, power]) => String(Number(digits) * 2 ** power));
const knownNumbers = [
  "-0",
  "0",
  "-0.0e5",
  "1e23",
  "9007199254740993",
  "5e-324",
  "2e-324",
  "1e400",
  "-1e400",
  "1e-400",
  "0.0000001",
  "0.000001",
  "123456789012345680000",
  "1e21",
  "0e999",
];
/** As JSON may write them; the values of some are between two that can be told, or hardly. */
export function numberTexts(numRuns: number, seed: number): string[] {
  const anyOf = fc.oneof(
    written,
    between,
    powers.map((power) => String(2 ** power)),
  );
  return [...knownNumbers, ...fc.sample(anyOf, { numRuns, seed })];
}

/** As another language, or a person, may write it: with spaces, and with every unit of a text escaped. */
function foreign(value: unknown): string {
  if (typeof value === "string") return `"${[...Array(value.length).keys()].map((at) => escaped(value.charCodeAt(at))).join("")}"`;
  if (typeof value === "number") return value.toExponential();
  if (Array.isArray(value)) return `[ ${value.map(foreign).join(" , ")} ]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value)
    .map(([key, inner]) => `${foreign(key)} : ${foreign(inner)}`)
    .join(" ,\n")} }`;
}

function escaped(unit: number): string {
  return unit === 0x2f ? String.raw`\/` : String.raw`\u${unit.toString(16).toUpperCase().padStart(4, "0")}`;
}
