/** What is paused, as the store has it now. */
import { at } from "../at.ts";
import { pageMax } from "../defaults.ts";
import { pausedQueue, pausedTask } from "../notes.ts";
import type { WorkerParts } from "./settings.ts";
import type { Run } from "./run.ts";

const prefix = "pause/";
const pagesMax = 20;

/** Answers which runs may not start. */
export async function readPauses({ engine, runtime }: Pick<WorkerParts, "engine" | "runtime">): Promise<(run: Run) => boolean> {
  const keys = new Set<string>();
  let after: string | undefined;
  for (let page = 0; page < pagesMax; page++) {
    const found = await engine.find({ of: "notes", prefix, limit: pageMax, ...(after !== undefined && { after }) }, at(runtime));
    for (const note of found.rows) keys.add(note.key);
    after = found.next;
    if (after === undefined) break;
  }
  return ({ claimed }) => keys.has(pausedQueue(claimed.queue)) || keys.has(pausedTask(claimed.task));
}
