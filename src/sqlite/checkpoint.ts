/** Copies the WAL back into the file, in step with tidy: little at a time, so that no commit has to do it all. */
import { statSync } from "node:fs";
import type { Store } from "./store.ts";

/** Below that it is not worth its two syncs. */
const passiveBytesMin = 4 * 1_024 * 1_024;
/** Above that, readers are waited for and the WAL is cut off. */
const truncateBytesMin = 64 * 1_024 * 1_024;

export function checkpoint(store: Store): void {
  const bytes = statSync(`${store.path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes >= truncateBytesMin) store.checkpoint("TRUNCATE");
  else if (bytes >= passiveBytesMin) store.checkpoint("PASSIVE");
}
