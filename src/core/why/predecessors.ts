/** What has to end first. */
import type { After } from "../engine.ts";
import { isEnded, type JobState } from "../states.ts";
import type { Look } from "./look.ts";
import { joinWords, progressWords } from "./progress.ts";
import { counted } from "./words.ts";

const how: Readonly<Record<After["when"], string>> = { well: "to end well", badly: "to fail", ended: "to end" };
/** Predecessors are looked up one by one. */
const lookedAtMax = 20;

/** "for job 7 (extract), which is running, to end well, and for 2 others"; undefined: nothing is left to wait for. */
export async function predecessorWords(after: readonly After[], look: Look, first?: string): Promise<string | undefined> {
  const ordered = first === undefined ? after : after.toSorted((a, b) => Number(b.id === first) - Number(a.id === first));
  for (const each of ordered.slice(0, lookedAtMax)) {
    const words = await openWords(each, look);
    if (words === undefined) continue;
    const others = after.length - 1;
    return `for ${words} ${how[each.when]}${others === 0 ? "" : `; it comes after ${counted(others, "other")} too`}`;
  }
  return undefined;
}

async function openWords({ id }: After, look: Look): Promise<string | undefined> {
  const job = await look.job(id);
  if (job !== undefined) return isOver(job.state) ? undefined : `job ${id} (${job.task}), which is ${job.state},`;
  const join = await look.join(id);
  return join === undefined || join.state === "closed" ? undefined : `${joinWords(join)}, of which ${progressWords(join)},`;
}

/** A parked one counts as ended for those that come after it. */
function isOver(state: JobState): boolean {
  return isEnded(state) || state === "parked";
}
