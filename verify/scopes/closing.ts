/** How a schedule ends: leases run out, one who is left tidies up, claims whatever there is, and completes it, until nothing is left. */
import type * as port from "../../src/core/engine.ts";
import { isEnded } from "../../src/core/states.ts";
import { Hand, pastLease } from "./hand.ts";
import { ask, pass, type Steps } from "./play.ts";

const roundsMost = 6;
export const allTasks: readonly string[] = ["t", "member", "then", "if-well", "if-badly"];

export function* closing(mayStay: (row: port.JobRow) => boolean = () => false): Steps {
  const hand = new Hand("the last", allTasks);
  for (let round = 0; round < roundsMost; round++) {
    yield* pass(pastLease);
    for (let passes = 0; passes < roundsMost && (yield* ask("tidy", { items: 100, mayExpire: true })).hasMore; passes++);
    const { rows } = yield* ask("find", { of: "jobs", where: {}, limit: 1_000 });
    if ((rows as readonly port.JobRow[]).every((row) => isEnded(row.state) || mayStay(row))) return;
    for (const alone of ["no", "only"] as const) {
      let jobs = yield* hand.claim({ alone, slots: 20 });
      for (let claims = 0; jobs.length > 0 && claims < roundsMost; claims++) {
        for (const held of jobs) yield* hand.settle(held, "completed");
        jobs = yield* hand.claim({ alone, slots: 20 });
      }
    }
  }
}
