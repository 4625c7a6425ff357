/** Its batch holds back its members: it is still being stored, or waits itself. */
import { nestingMax } from "../defaults.ts";
import type { JoinRow } from "../engine.ts";
import type { Look } from "./look.ts";
import { predecessorWords } from "./predecessors.ts";
import { joinWords } from "./progress.ts";
import type { Explain } from "./reason.ts";

export const notOpened: Explain = async (_, { on }, look) => {
  const join = await look.join(on);
  return { waits: join === undefined ? `for batch ${on} to open` : `with ${joinWords(join)}, which waits ${await closedWords(join, look)}` };
};

/** Follows "waits": what keeps it, or one that it is in, from opening. */
export async function closedWords(join: JoinRow, look: Look): Promise<string> {
  let at = join;
  for (let depth = 0; depth < nestingMax; depth++) {
    if (at.state === "staged") return `to be complete: ${at === join ? "it" : joinWords(at)} is still being stored`;
    const words = await predecessorWords(at.after ?? [], look);
    if (words !== undefined) return at === join ? words : `with ${joinWords(at)}, ${words}`;
    const parent = at.join === undefined ? undefined : await look.join(at.join);
    if (parent === undefined || parent.state === "open") break;
    at = parent;
  }
  return "to be opened";
}
