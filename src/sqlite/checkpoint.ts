/** Copies the WAL back into the file, in step with tidy: little at a time, so that no commit has to do it all. */
import { statSync } from "node:fs";
import type { Store } from "./store.ts";

/** Below that it is not worth its two syncs. */
const passiveBytesMin = 4 * 1_024 * 1_024;
/** Above that, readers are waited for and the WAL is cut off. */
const truncateBytesMin = 64 * 1_024 * 1_024;

/** One that fails is tried again with the next pass: it keeps nothing else from being done. */
export function checkpoint(store: Store): void {
  try {
    copyBack(store);
  } catch (error) {
    store.runtime.log.warn({ err: error, file: store.path }, "the WAL could not be copied back into the file; it grows until that works");
  }
}

function copyBack(store: Store): void {
  const bytes = statSync(`${store.path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes >= truncateBytesMin) store.checkpoint("TRUNCATE");
  else if (bytes >= passiveBytesMin) store.checkpoint("PASSIVE");
}
