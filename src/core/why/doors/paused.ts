/** A person paused the queue or the task. */
import { pausedQueue, pausedTask } from "../../notes.ts";
import type { Door, FindDoors } from "./door.ts";

export const paused: FindDoors = async ({ queue, task }, _, look) => {
  const closed: Door[] = [];
  for (const [what, key] of [
    [`queue ${queue}`, pausedQueue(queue)],
    [`task ${task}`, pausedTask(task)],
  ] as const) {
    const note = await look.note<{ readonly reason?: string }>(key);
    if (note !== undefined) closed.push({ closed: `${what} is paused${note.reason ? ` (${note.reason})` : ""}` });
  }
  return closed;
};
