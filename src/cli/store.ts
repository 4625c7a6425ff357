/** The store that a command looks at. */
import { broker, type Broker, type Engine } from "../index.ts";
import { engineOf } from "../stores.ts";
import { usage, type Arguments } from "./arguments.ts";
import { refuseMissingStore, urlMeant } from "./storeFile.ts";

export interface OpenStore {
  readonly work: Broker;
  /** For what the broker does not tell: pauses and workers. */
  readonly engine: Engine;
}

/** `--store`, else ERRAND_STORE. Throws `cli-usage`. */
export function storeOf(given: Arguments): string {
  const store = given.text("store") ?? process.env["ERRAND_STORE"];
  if (store === undefined || store === "") throw usage("which store? give --store sqlite:shop.db, or set ERRAND_STORE");
  return checked(store);
}

/** The one word that a command takes, else as `storeOf`. Throws `cli-usage`. */
export function storeGiven(given: Arguments): string {
  const [url, tooMany] = given.words;
  if (tooMany !== undefined) throw usage(`it takes one store, not "${tooMany}" too`);
  if (url === undefined) return storeOf(given);
  if (given.text("store") !== undefined) throw usage(`which store: "${url}", or --store?`);
  return checked(url);
}

/** Opens a store that is there, hands it to `use`, closes it. Throws `cli-usage` rather than make one. */
export async function withStore<T>(given: Arguments, use: (store: OpenStore) => Promise<T>): Promise<T> {
  const url = storeOf(given);
  await refuseMissingStore(url);
  const engine = engineOf(url);
  const work = broker(engine);
  try {
    await work.open();
    return await use({ work, engine });
  } finally {
    await work.close();
  }
}

function checked(store: string): string {
  const meant = urlMeant(store);
  if (meant !== undefined) throw usage(`--store is "${store}", which is a file; a store is a URL: did you mean "${meant}"?`);
  return store;
}
