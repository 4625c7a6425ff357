/** It comes after jobs or batches that have not ended. */
import { predecessorWords } from "./predecessors.ts";
import type { Explain } from "./reason.ts";

export const afterOthers: Explain = async ({ after = [] }, { on }, look) => ({
  waits: (await predecessorWords(after, look, on)) ?? `to be let go: what it comes after has ended`,
});
