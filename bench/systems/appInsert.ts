/** What an app does by itself, without any job: the base that enqueueing in its transactions is compared with. */
import type { PostgresSystem } from "../postgres/system.ts";

const nothing = (): Promise<void> => Promise.resolve();

export const appInsert: PostgresSystem = {
  name: "the app's own insert",
  settings: "no job is enqueued, no worker runs",
  schema: "public",
  produce: () => Promise.resolve({ enqueue: nothing, enqueueOne: nothing, counts: () => Promise.resolve({ unended: 0 }), close: nothing }),
  work: () => Promise.reject(new Error("there are no jobs to run")),
};
