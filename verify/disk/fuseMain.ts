/** Opens a store by each of the names that are given, and tells as JSON what became of it. */
import { ErrandError } from "../../src/core/errors.ts";
import { Hand } from "./hand.ts";

/** "opened", or the refusal, for each name. */
export type Openings = readonly string[];

const said: string[] = [];
for (const file of process.argv.slice(2)) {
  const hand = new Hand(file);
  try {
    hand.open();
    said.push("opened");
    await hand.close();
  } catch (error) {
    said.push(ErrandError.is(error) ? error.message : String(error));
  }
}
console.log(JSON.stringify(said));
