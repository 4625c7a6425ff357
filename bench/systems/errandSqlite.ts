/** errand on SQLite: default settings, synchronous=FULL. */
import type { WorkingSystem } from "../working.ts";
import { ErrandOn } from "./errandOn.ts";

/** Without a key, or ordered by one of so many. */
export function errandSqlite(keys?: number): WorkingSystem {
  const errand = new ErrandOn(keys);
  return {
    name: errand.named("errand"),
    settings: `default settings, synchronous=FULL, completed jobs kept${errand.order}`,
    produce: (file) => errand.produce(`sqlite:${file}`),
    work: (file, how, run) => errand.work(`sqlite:${file}`, how, run),
  };
}
