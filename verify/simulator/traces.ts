/** Prints, a line each, what happened in the lives of some seeds, as hashes: `node traces.ts 1 20`. */
import { live } from "./life.ts";
import { planOf } from "./plan.ts";
import { onMemory, onSqlite } from "./stores.ts";

const [first = 1, lives = 1] = process.argv.slice(2).map(Number);
for (const maker of [onMemory, onSqlite]) {
  for (let seed = first; seed < first + lives; seed++) {
    const { trace, steps } = await live(maker, planOf(seed));
    console.log(maker.name, seed, steps, trace);
  }
}
