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
const seed = Number(process.env["ERRAND_SEED"] ?? 7);

type Step = { readonly do: "add" | "remove"; readonly item: number; readonly score?: number } | { readonly do: "drop"; readonly score: number };
type Held = readonly [item: number, score: number];

interface Told {
  readonly is: unknown;
  readonly size: number;
  readonly first?: number;
  readonly front: readonly number[] | Record<string, never>;
  readonly scores: readonly number[] | Record<string, never>;
}

/** Does one step on the list, as a script of a verb would, and tells what is inside then. */
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
  else is = U.ordered.drop_until(row, 'list', key, step.score) end
  local size, scores = U.ordered.size(row, 'list'), {}
  for place = 1, row.list and row.list.scores and size or 0 do scores[place] = U.ordered.score_at(row, 'list', key, place) end
  told[at] = { is = is, size = size, first = U.ordered.first(row, 'list'), front = U.ordered.front(row, 'list', 5), scores = scores }
end
return finish(told)`,
  ),
);

for (const isScored of [true, false]) {
  const order = isScored ? "scores, then by the numbers themselves" : "themselves";
  it(`numbers stand in the order of their ${order}, in the row and beyond it, whatever comes and goes`, { skip }, async () => {
    for (const steps of fc.sample(fc.array(stepOf(isScored), { minLength: 200, maxLength: 400 }), { numRuns: 5, seed })) await follow(steps, isScored);
  });
}

/** Few go at first, so that many stand beyond the row. */
function stepOf(isScored: boolean): fc.Arbitrary<Step> {
  const item = fc.integer({ min: 1, max: 150 });
  const score = fc.integer({ min: -20, max: 20 });
  const add = isScored ? fc.record({ do: fc.constant("add" as const), item, score }) : fc.record({ do: fc.constant("add" as const), item });
  const remove = fc.record({ do: fc.constant("remove" as const), item });
  const drop = fc.record({ do: fc.constant("drop" as const), score: score.map((at) => at - 15) });
  return fc.oneof({ weight: 6, arbitrary: add }, { weight: 4, arbitrary: remove }, ...(isScored ? [{ weight: 1, arbitrary: drop }] : []));
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
        expected.push(seen(held, step.do === "add" ? true : step.do === "remove" ? lost === 1 : lost, isScored));
      }
      const [json] = (await client.call("eval", text, "1", homeOf(place.prefix), "0", JSON.stringify(asked))) as [string];
      const told = JSON.parse(json) as Told[];
      assert.deepEqual(told.length === undefined ? [] : told.map((one) => normal(one)), expected);
    }
  } finally {
    client.disconnect();
    await place.done();
  }
}

function after(held: readonly Held[], step: Step): readonly Held[] {
  if (step.do === "drop") return held.filter(([, score]) => score > step.score);
  if (step.do === "remove") return held.filter(([item]) => item !== step.item);
  return [...held, [step.item, step.score ?? step.item] as const].toSorted(([a, atA], [b, atB]) => atA - atB || a - b);
}

/** The row may tell fewer of the first five than there are: at least one, where there is any. */
function seen(held: readonly Held[], is: unknown, isScored: boolean): object {
  return { is, size: held.length, first: held[0]?.[0], front: held[0]?.[0], scores: isScored ? held.map(([, score]) => score) : [] };
}

function normal({ is, size, first, front, scores }: Told): object {
  return { is, size, first, front: Array.isArray(front) ? front[0] : undefined, scores: Array.isArray(scores) ? scores : [] };
}
