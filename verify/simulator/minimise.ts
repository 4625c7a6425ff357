/** Of a life that goes wrong, the smallest that was found to go wrong as well: fewer works, fewer faults, fewer workers. */
import type { EngineMaker } from "../../src/conformance/index.ts";
import { live } from "./life.ts";
import { smaller, type Plan } from "./plan.ts";

/** Lives that are tried. */
const triesMax = 200;

export async function minimised(maker: EngineMaker, plan: Plan): Promise<Plan> {
  let [least, tries] = [plan, 0];
  for (let found: Plan | undefined = plan; found !== undefined;) {
    found = undefined;
    for (const other of smaller(least)) {
      if (++tries > triesMax) return least;
      if ((await complaintsOf(maker, other)).length === 0) continue;
      found = least = other;
      break;
    }
  }
  return least;
}

/** One that throws goes wrong as well. */
export async function complaintsOf(maker: EngineMaker, plan: Plan): Promise<readonly string[]> {
  try {
    return (await live(maker, plan)).complaints;
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
}
