/** Which of these ids a home knows: where jobs belong to joins and come after others, their homes are looked for. */
import { script } from "./fragment.ts";
import type { Main } from "./fragment.ts";

/** Asked: ids. Answers those that it knows, each as "job", "join", or "away" of a job that has gone on from here. Writes nothing. */
export const whereScript: Main = script(
  "where",
  String.raw`
local known = {}
local function look(field, is)
  local asked = cjson.decode(ARGV[2]).ids
  for from = 1, #asked, 1000 do
    local to = math.min(from + 999, #asked)
    local found = call('HMGET', K .. ':' .. field, unpack(asked, from, to))
    for at = from, to do
      if found[at - from + 1] then known[asked[at]] = is end
    end
  end
end
look('aid', 'away')
look('jid', 'join')
look('i', 'job')
return finish(known)
`,
);
