/** errand on PostgreSQL: default settings, a pool of its own. */
import type { PostgresSystem } from "../postgres/system.ts";
import { errandHistory } from "./errandHistory.ts";
import { ErrandOn } from "./errandOn.ts";

/** Without a key, or ordered by one of so many. */
export function errandPostgres(keys?: number): PostgresSystem {
  const errand = new ErrandOn(keys);
  return {
    name: errand.named("errand (postgres)"),
    settings: `default settings, a pool of 4, completed jobs kept${errand.order}`,
    schema: "errand",
    async produce(url) {
      const { work, noop, ...producer } = await errand.produce(url);
      return { ...producer, enqueueWithin: (client, id) => work.within(client).enqueue(noop.with(errand.entry(id))) };
    },
    work: (url, how, run) => errand.work(url, how, run),
    history: (url) => errandHistory(url, (id) => JSON.stringify(errand.entry(id))),
  };
}
