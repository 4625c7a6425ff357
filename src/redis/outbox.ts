/** What an outbox hands over: a part of a batch in one script, stored once, however often and by whomever it is handed over. */
import type { Atom, NewWork } from "../core/engine.ts";
import { script } from "./fragment.ts";
import type { Main } from "./fragment.ts";
import type { Refusal } from "../core/refused.ts";
import type { Ms } from "../core/runtime.ts";

/** The atoms of a batch from place `from` on, the first being 0. */
export interface Move {
  readonly fence: number;
  readonly batch: string;
  readonly from: number;
  readonly atoms: readonly Atom[];
}

/** stale: somebody with this fence has moved what came after. Else: those of the whole batch so far that were refused, by their places. */
export type Moved =
  | { readonly is: "stale"; readonly fence: number }
  | { readonly is: "moved"; readonly refused: readonly { readonly place: number; readonly refusal: Refusal }[] };

/**
 * What was moved last stands beside what it stored, in the same atom: whose fence it was, which batch, how much of it, and what was refused. A repeat is answered from
 * it, so ids need not be remembered for it; and one whose lease was over long ago finds another's fence.
 */
export const moveScript: Main = script(
  "move",
  String.raw`
local request = cjson.decode(ARGV[2])
local known = call('HGET', K .. ':outbox', 'last')
local last = known and cjson.decode(known) or { fence = 0 }
if request.fence < last.fence then return finish({ is = 'stale', fence = last.fence }) end
if last.batch ~= request.batch then last = { batch = request.batch, moved = 0, refused = {} } end
last.fence = request.fence
local fresh, first = {}, math.max(request.from, last.moved)
for nth = first - request.from + 1, #request.atoms do fresh[#fresh + 1] = request.atoms[nth] end
if #fresh > 1 or (#fresh == 1 and #fresh[1].works > 1) then U.prefetch.works(fresh) end
for nth, atom in ipairs(fresh) do
  local refusal = U.enqueue.refusal_of(atom)
  if refusal then table.insert(last.refused, { place = first + nth - 1, refusal = refusal })
  else U.enqueue.store_atom(atom) end
end
last.moved = first + #fresh
call('HSET', K .. ':outbox', 'last', cjson.encode(last))
local told = finish({ is = 'moved', refused = last.refused })
if S.subscribers then told[3] = cjson.encode(U.fanOut.subscribers()) end
return told
`,
);

/** As it would be had it been stored when it was handed in. What waits for others counts from when it is let go, as ever. */
export function aged(atom: Atom, ageMs: Ms): Atom {
  return { ...atom, works: atom.works.map((work) => agedWork(work, ageMs)) };
}

function agedWork(work: NewWork, ageMs: Ms): NewWork {
  if (work.kind !== "job" || (work.delayMs === undefined && work.startWithinMs === undefined)) return work;
  if (work.join !== undefined || (work.after?.length ?? 0) > 0) return work;
  const { delayMs, startWithinMs } = work;
  return {
    ...work,
    ...(delayMs !== undefined && { delayMs: Math.max(0, delayMs - ageMs) }),
    ...(startWithinMs !== undefined && { startWithinMs: startWithinMs - ageMs }),
  };
}
