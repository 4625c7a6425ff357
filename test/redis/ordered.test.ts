/** Things kept in order, partly in a row and partly in a sorted set, against a sorted array. */
import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { Redis } from "ioredis";
import { script } from "../../src/redis/fragment.ts";
import { scriptOf } from "../../src/redis/modules.ts";
import { homeOf } from "../../src/redis/prefix.ts";
import { freshPlace } from "./places.ts";
import { redisMissing } from "./server.ts";

const skip = redisMissing ?? false;
const most = 150;
const seed = Number(process.env["ERRAND_SEED"] ?? 7);

type Step =
  | { readonly do: "add" | "remove"; readonly item: number; readonly score?: number }
  | { readonly do: "drop"; readonly score: number }
  | { readonly do: "take" };
type Held = readonly [item: number, score: number];

interface Told {
  readonly is: unknown;
  readonly size: number;
  readonly first?: number;
  /** Of each in its place. */
  readonly scores: readonly number[] | Record<string, never>;
}

/** Does the steps of one script, and tells what is inside after each. */
const { text } = scriptOf(
  script(
    "steps",
    String.raw`
local key, told = K .. ':list', {}
local row = U.rows.get('test', 'row')
if row == nil then
  row = {}
  U.rows.put('test', 'row', row)
end
U.rows.dirty('test', 'row')
for at, step in ipairs(cjson.decode(ARGV[2])) do
  local is = true
  if step['do'] == 'add' then U.ordered.add(row, 'list', key, step.item, step.score)
  elseif step['do'] == 'remove' then is = U.ordered.remove(row, 'list', key, step.item)
  elseif step['do'] == 'take' then is = U.ordered.remove(row, 'list', key, U.ordered.first(row, 'list') or 0)
  else is = U.ordered.drop_until(row, 'list', key, step.score) end
  local size, scores = U.ordered.size(row, 'list'), {}
  for place = 1, row.list and row.list.scores and size or 0 do scores[place] = U.ordered.score_at(row, 'list', key, place) end
  told[at] = { is = is, size = size, first = U.ordered.first(row, 'list'), scores = scores }
end
return finish(told)`,
  ),
);

for (const isScored of [true, false]) {
  const order = isScored ? "by their scores" : "by themselves";
  it(`numbers are ordered ${order}, in the row and beyond it, whatever comes and goes`, { skip }, async () => {
    for (const steps of fc.sample(fc.array(stepOf(isScored), { minLength: 200, maxLength: 400 }), { numRuns: 5, seed })) {
      await follow([...steps, ...Array.from({ length: most }, () => ({ do: "take" }) as const)], isScored);
    }
  });
}

/** More come than go, so that many stand beyond the row, until all are taken in their order. */
function stepOf(isScored: boolean): fc.Arbitrary<Step> {
  const item = fc.integer({ min: 1, max: most });
  const score = fc.integer({ min: -20, max: 20 });
  const add = isScored ? fc.record({ do: fc.constant("add" as const), item, score }) : fc.record({ do: fc.constant("add" as const), item });
  const remove = fc.record({ do: fc.constant("remove" as const), item });
  const drop = fc.record({ do: fc.constant("drop" as const), score: score.map((at) => at - 35) });
  return fc.oneof({ weight: 12, arbitrary: add }, { weight: 4, arbitrary: remove }, ...(isScored ? [{ weight: 1, arbitrary: drop }] : []));
}

/** Each is added only while it is not inside, as by whoever has lists. */
async function follow(steps: readonly Step[], isScored: boolean): Promise<void> {
  const place = await freshPlace();
  const client = new Redis(place.url);
  try {
    let held: readonly Held[] = [];
    for (let from = 0; from < steps.length; from += 20) {
      const asked: Step[] = [];
      const expected: object[] = [];
      for (const step of steps.slice(from, from + 20)) {
        if (step.do === "add" && held.some(([item]) => item === step.item)) continue;
        const next = after(held, step);
        const lost = held.length - next.length;
        held = next;
        asked.push(step);
        expected.push(seen(held, step.do === "add" || (step.do === "drop" ? lost : lost === 1), isScored));
      }
      const [json] = (await client.call("eval", text, "1", homeOf(place.prefix), "0", JSON.stringify(asked))) as [string];
      const told = listOf(JSON.parse(json) as Told[]);
      assert.deepEqual(
        told.map(({ is, size, first, scores }) => ({ is, size, first, scores: listOf(scores) })),
        expected,
      );
    }
  } finally {
    client.disconnect();
    await place.done();
  }
}

function after(held: readonly Held[], step: Step): readonly Held[] {
  if (step.do === "drop") return held.filter(([, score]) => score > step.score);
  if (step.do === "take") return held.slice(1);
  if (step.do === "remove") return held.filter(([item]) => item !== step.item);
  return [...held, [step.item, step.score ?? step.item] as const].toSorted(([a, atA], [b, atB]) => atA - atB || a - b);
}

function seen(held: readonly Held[], is: unknown, isScored: boolean): object {
  return { is, size: held.length, first: held[0]?.[0], scores: isScored ? held.map(([, score]) => score) : [] };
}

/** An empty list of Lua is an object. */
function listOf<T>(list: readonly T[] | Record<string, never>): readonly T[] {
  return Array.isArray(list) ? list : [];
}
