import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { it } from "node:test";
import fc from "fast-check";
import { Redis } from "ioredis";
import { derivedId } from "../../src/core/keys.ts";
import { script } from "../../src/redis/fragment.ts";
import { scriptOf } from "../../src/redis/modules.ts";
import { homeOf } from "../../src/redis/prefix.ts";
import { keyCases, numberTexts } from "../core/keyCases.ts";
import { freshPlace } from "./places.ts";
import { redisMissing } from "./server.ts";

const skip = redisMissing ?? false;
/** Whoever else uses the server waits as long as a script runs. */
const perScript = 100;
const seed = Number(process.env["ERRAND_SEED"] ?? 7);

it("an event's jobs are named in Lua as in JavaScript, in whatever way its payload is written", { skip }, async () => {
  const cases = keyCases(2_000, seed);
  const texts = cases.flatMap(({ event: { orderedBy, payload, ...event }, subscription }) => [
    JSON.stringify({ ...event, orderedBy }),
    payload,
    JSON.stringify(subscription),
  ]);
  const made = await each(
    3,
    "local event = cjson.decode(one) event.payload = two return cjson.encode(U.fanOut.job_for(event, U.notes.parse_subscription(three)))",
    texts,
  );
  cases.forEach(({ job }, n) => assert.deepEqual(JSON.parse(made[n] ?? ""), job));
});

it("a number is written in Lua as JavaScript writes it", { skip }, async () => {
  const cases = numberTexts(4_000, seed);
  assert.deepEqual(
    await each(1, "return U.keys.key_values({ 'n' }, '{\"n\":' .. one .. '}')[1]", cases),
    cases.map((text) => JSON.stringify(JSON.parse(text))),
  );
});

it("ids and digests are the same in Lua and in JavaScript", { skip }, async () => {
  const text = fc.string({ unit: "binary", maxLength: 200 }).map((made) => made.replaceAll(/[\ud800-\udfff]/gu, ""));
  const pairs = fc.sample(fc.tuple(text, text), { numRuns: 300, seed });
  assert.deepEqual(
    await each(2, "return U.keys.derived_id(one, two) .. U.digest.sha256(one .. two)", pairs.flat()),
    pairs.map(
      ([a, b]) =>
        derivedId(a, b) +
        createHash("sha256")
          .update(a + b)
          .digest("hex"),
    ),
  );
});

/** What Lua makes of so many texts each. */
async function each(arity: number, lua: string, texts: readonly string[]): Promise<string[]> {
  const place = await freshPlace();
  const client = new Redis(place.url);
  const { text } = scriptOf(
    script(
      "each",
      `local made = {}
      local function make(one, two, three) ${lua} end
      for at = 2, #ARGV, ${arity} do made[#made + 1] = make(ARGV[at], ARGV[at + 1], ARGV[at + 2]) end
      return made`,
    ),
  );
  const made: string[] = [];
  try {
    for (let from = 0; from < texts.length; from += arity * perScript) {
      made.push(...((await client.call("eval", text, "1", homeOf(place.prefix), "0", ...texts.slice(from, from + arity * perScript))) as string[]));
    }
  } finally {
    client.disconnect();
    await place.done();
  }
  return made;
}
