/** G18: payloads come back equal, or are refused with the path of what would not. */
import { event } from "../../core/event.ts";
import { task } from "../../core/task.ts";
import { when } from "../../core/when.ts";
import type { Schema } from "../../core/schema.ts";
import { equal, matches, refused } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";

type Value = Record<string, unknown>;
const work = task<Value>("work", () => undefined);
const loose = (value: unknown): Value => ({ value }) as Value;

/** Every value in here has come back changed from some queue. */
const equalValues: readonly (readonly [string, unknown])[] = [
  ["null", null],
  ["zero", 0],
  ["a tiny number", 5e-324],
  ["the largest number", Number.MAX_VALUE],
  ["the largest exact integer", Number.MAX_SAFE_INTEGER],
  ["a fraction", 0.1 + 0.2],
  ["1e21", 1e21],
  ["an empty text", ""],
  ["a text of digits", "007"],
  ["a text that looks like a date", "2026-01-01T00:00:00.000Z"],
  ["a text that looks like JSON", '{"a":1}'],
  ["composed and decomposed letters", ["\u00e9", "e\u0301"]],
  ["an emoji", "👩🏽‍🚀"],
  ["control characters", "\u0000\u0001\u001f\u007f\u2028\u2029\ufeff"],
  ["quotes and backslashes", "\"'`\\\\ \n\r\t $1 ? :a @b %s"],
  ["true and false", [true, false]],
  ["an empty array", []],
  ["an empty object", {}],
  ["nested empties", [[], {}, [[]], { a: {} }]],
  ["keys in their order", { b: 1, a: 2, c: 3 }],
  ["keys that look like numbers", { "1": "a", "-1": "b", "1.5": "c" }],
  ["keys of other scripts", { ключ: 1, 鍵: 2, "": 3, "a.b": 4, "a b": 5 }],
  ["keys of Object.prototype", { constructor: 1, toString: 2, hasOwnProperty: 3 }],
  ["an object without prototype", Object.assign(Object.create(null) as object, { a: 1 })],
  ["64 levels", nested(62)],
  ["a text of 200,000 letters", "x".repeat(200_000)],
];

function nested(levels: number): unknown {
  return levels === 0 ? 1 : [nested(levels - 1)];
}

const comeBack: readonly Law[] = lawsOf(
  "G18",
  equalValues,
  ([name]) => `a payload with ${name} comes back equal`,
  async (world, [name, value]) => {
    const expected = JSON.stringify({ value });
    const { broker } = await world.worker({ work });
    const { id } = await broker.enqueue(work.with(loose(value)));
    await world.drained();
    equal(JSON.stringify(world.runs[0]?.input), expected, `${name}, as its run got it`);
    equal(JSON.stringify((await world.job(id)).input), expected, `${name}, as it is found`);
  },
);

class Money {
  readonly cents: number = 1;
}
const cycle: { self?: unknown } = {};
cycle.self = cycle;

const refusedValues: readonly (readonly [string, unknown, string])[] = [
  ["a Date", new Date(0), "value"],
  ["a BigInt", 1n, "value"],
  ["NaN", Number.NaN, "value"],
  ["Infinity", Number.POSITIVE_INFINITY, "value"],
  ["-0", -0, "value"],
  ["a Map", new Map(), "value"],
  ["a Set", new Set(), "value"],
  ["a class instance", new Money(), "value"],
  ["an Error", new Error("no"), "value"],
  ["a function", () => 1, "value"],
  ["a symbol", Symbol("a"), "value"],
  ["a RegExp", /a/, "value"],
  ["a typed array", new Uint8Array(2), "value"],
  ["a cycle", cycle, "value.self"],
  ["undefined in an array", [1, undefined], "value[1]"],
  ["a hole in an array", [1, , 3], "value[1]"], // oxlint-disable-line no-sparse-arrays -- the hole is the case
  ["a property named __proto__", JSON.parse('{"a":{"__proto__":1}}'), "value.a.__proto__"],
  ["half a surrogate pair", "\ud800", "value"],
  ["an object with toJSON", { toJSON: () => 1 }, "value"],
  ["a Date deep inside", { list: [{ at: new Date(0) }] }, "value.list[0].at"],
];

const refusals: readonly Law[] = lawsOf(
  "G18",
  refusedValues,
  ([name]) => `a payload with ${name} is refused at enqueue, with its path`,
  async (world, [name, value, path]) => {
    const { broker } = world.process({ work });
    const error = await refused(() => broker.enqueue([work.with(loose(1)), work.with(loose(value))]), "payload-not-json", name);
    equal([error.details["path"], error.isDefinite], [path, true], "the path, and whether it is definite");
    equal((await world.observer.count()).ready, 0, "jobs stored of the call");
  },
);

const caps: readonly Law[] = lawsOf<readonly [string, unknown]>(
  "G18",
  [
    ["more than 256 KiB", "x".repeat(256 * 1_024)],
    ["more than 256 KiB in bytes, though not in characters", "é".repeat(140_000)],
    ["more than 64 levels", nested(70)],
    ["more than 10,000 keys", Array.from({ length: 10_001 }, () => 0)],
  ],
  ([name]) => `a payload of ${name} is refused`,
  async (world, [name, value]) => {
    await refused(() => world.process({ work }).broker.enqueue(work.with(loose(value))), "payload-too-large", name);
    equal((await world.observer.count()).ready, 0, "jobs stored");
  },
);

/** Stored as euros, used as cents: parsed twice it would be wrong by a factor of 100. */
const cents: Schema<{ euros: number }, { cents: number }> = {
  "~standard": {
    version: 1,
    vendor: "errand",
    validate: (value) => {
      const euros = (value as { euros?: unknown } | null)?.euros;
      return typeof euros === "number" ? { value: { cents: euros * 100 } } : { issues: [{ message: "must be a number", path: ["euros"] }] };
    },
  },
};
const pay = task("pay", { input: cents, run: () => undefined });

const schemas: readonly Law[] = [
  law("G18", "the schema's input is stored, and run gets its output, parsed once", async (world) => {
    const { broker } = await world.worker({ pay });
    const { id } = await broker.enqueue(pay.with({ euros: 7 }));
    await world.drained();
    equal([(await world.job(id)).input, world.runs[0]?.input], [{ euros: 7 }, { cents: 700 }], "what is stored, and what run got");
  }),
  law("G18", "run gets the output once also in a second attempt, and after a crash", async (world) => {
    const paying = task("paying", {
      input: cents,
      retry: { backoff: "fixed", first: "1s" },
      run: (_, job) => (world.runs.length === 1 ? Promise.reject(new Error("not yet")) : world.runs.length === 2 ? world.die(job) : undefined),
    });
    await (await world.worker({ paying })).broker.enqueue(paying.with({ euros: 7 }));
    await world.until("it ran twice", () => world.runs.length === 2);
    await world.worker({ paying });
    await world.drained();
    equal(
      world.runs.map((run) => run.input),
      [{ cents: 700 }, { cents: 700 }, { cents: 700 }],
      "what run got",
    );
  }),
  law("G18", "a payload that does not fit the schema is refused at enqueue, with its path", async (world) => {
    const error = await refused(() => world.process({ pay }).broker.enqueue(pay.with({ euros: "7" } as never)), "payload-invalid", "an enqueue");
    matches(error.message, /euros: must be a number/, "the message");
    equal((await world.observer.count()).ready, 0, "jobs stored");
  }),
  law("G18", "a stored payload that does not fit the schema any more dies at once, and can be redriven", async (world) => {
    const before = task<{ euros: string }>("pay", () => undefined);
    const { id } = await world.process({ before }).broker.enqueue(before.with({ euros: "7" }));
    await world.worker({ pay });
    await world.drained();
    const job = await world.job(id);
    equal([job.state, world.runs.length], ["dead", 0], "state, and runs");
    matches(job.reason, /payload-invalid/, "its reason");
  }),
  law("G18", "an undefined property counts as absent", async (world) => {
    const { broker } = await world.worker({ work });
    await broker.enqueue(work.with({ a: 1, b: undefined }));
    await world.drained();
    equal(world.runs[0]?.input, { a: 1 }, "what run got");
  }),
  law("G18", "payloads of events come back equal to subscribers", async (world) => {
    const happened = event<Value>("happened");
    const value = Object.fromEntries(equalValues.slice(0, 20).map(([name, each]) => [name, each]));
    const { broker } = await world.worker({ works: when(happened, work) });
    await broker.publish(happened.with(value));
    await world.drained();
    equal(JSON.stringify(world.runs[0]?.input), JSON.stringify(value), "what run got");
  }),
  law("G18", "a payload above 4 KiB is warned of once for each task", async (world) => {
    const { broker } = world.process({ work });
    for (const n of [1, 2, 3]) await broker.enqueue(work.with(loose(`${n}`.repeat(5_000))));
    equal(world.warnings.length, 1, "warnings");
  }),
];

export const payloadLaws: readonly Law[] = [...comeBack, ...refusals, ...caps, ...schemas];
