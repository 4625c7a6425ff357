/** Which works bear an id that is known here with other content: asked before an atom is stored elsewhere that sends them on to here. */
import { script } from "./fragment.ts";
import type { Main } from "./fragment.ts";

/** Asked: works, each with kind, id and content. Answers refusals. Writes nothing. */
export const conflictScript: Main = script(
  "conflict",
  String.raw`
local refusals = {}
for _, work in ipairs(cjson.decode(ARGV[2]).works) do refusals[#refusals + 1] = U.enqueue.id_conflict({ work }) end
return finish(refusals)
`,
);
