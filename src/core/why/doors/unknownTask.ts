/** No worker that ever started on this store has the code. */
import type { FindDoors } from "./door.ts";

export const unknownTask: FindDoors = async ({ task }, _, look) =>
  (await look.told(task)) === undefined ? [{ closed: `no worker that was started here knows the task ${task}` }] : [];
