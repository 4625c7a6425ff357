/** As many of its key as may, run or were started. */
import { inWords } from "../duration.ts";
import type { Explain } from "./reason.ts";

export const keyLimit: Explain = ({ keyLimits = [] }, { on }) => {
  const is = keyLimits.find(({ key }) => key === on)?.is;
  if (is === undefined) return { waits: `for room under the limit of its key ${on}` };
  if ("running" in is) {
    return { waits: `for room: of its key ${on} ${is.running} may run at once, and as many do`, expected: "there is room when one of them has ended" };
  }
  const every = inWords(is.everyMs);
  return { waits: `for room: of its key ${on} ${is.starts} may start in ${every}, and as many have`, expected: `there is room within ${every} of those` };
};
