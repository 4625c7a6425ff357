/** Its key lets one go after the other, and another one is ahead. */
import { pageSize } from "../defaults.ts";
import type { Explain } from "./reason.ts";
import { inWordsAt } from "./words.ts";

export const behindKey: Explain = async ({ lane = "" }, { on }, look) => {
  const [ahead] = await look.jobs({ lane, states: ["running", "ready", "scheduled", "parked"] }, pageSize);
  if (ahead === undefined) return { waits: `behind others of its key ${on}` };
  return {
    waits: `behind job ${ahead.id}, which is ${ahead.state}, of its key ${on}`,
    expected: ahead.state === "scheduled" ? `that one is due ${inWordsAt(ahead.dueAt, look.now)}` : `its turn comes when those ahead of it have ended`,
  };
};
