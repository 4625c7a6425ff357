/** Several brokers of one process may open the same value: they share what it keeps, for as long as the value lives. */
import type { Host } from "../core/engine.ts";
import type { Store } from "./store.ts";

export function open(store: Store, host: Host): void {
  store.open(host.runtime);
}

export function close(store: Store): Promise<void> {
  store.close();
  return Promise.resolve();
}
