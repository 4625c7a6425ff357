/** The broker that a command looks at. */
import { broker, type Broker, type DefinitionModule } from "../index.ts";
import { usage, type Arguments } from "./arguments.ts";

export const storeOption = { store: { type: "string" } } as const;

/** `--store`, else ERRAND_STORE. Throws `cli-usage`. */
export function storeOf(given: Arguments): string {
  const store = given.text("store") ?? process.env["ERRAND_STORE"];
  if (store === undefined || store === "") throw usage("which store? give --store sqlite:shop.db, or set ERRAND_STORE");
  return store;
}

/** Opens it, hands it to `use`, closes it. */
export async function withBroker<T>(given: Arguments, use: (work: Broker) => Promise<T>, ...definitions: readonly DefinitionModule[]): Promise<T> {
  const work = broker(storeOf(given), ...definitions);
  try {
    await work.open();
    return await use(work);
  } finally {
    await work.close();
  }
}
