/** What the laws of `why` have in common. */
import { task, type Task } from "../../core/task.ts";
import { matches } from "../expect.ts";
import { lawsOf, type Law } from "../law.ts";
import type { World } from "../world.ts";

export interface Told {
  readonly what: string;
  /** Answers the id of the job or batch. */
  readonly reach: (world: World) => Promise<string>;
  readonly why: RegExp;
}

/** Asked of a broker without definitions. */
export function whysOf(rows: readonly Told[]): readonly Law[] {
  return lawsOf(
    "G2",
    rows,
    (row) => `why tells of ${row.what}`,
    async (world, row) => {
      const id = await row.reach(world);
      const why = await world.observer.why(id);
      matches(why, row.why, "why");
      matches(why, new RegExp(id), "why");
    },
  );
}

/** One that stays. */
export function longRun(world: World): Task<{ n: number }> {
  return task<{ n: number }>("long", { queue: "long", run: (_, job) => world.sleep("1h", job.signal) });
}
