/** Takes one join in, or seals one that is there. */
import type { NewJoin } from "../core/engine.ts";
import type { Instant } from "../core/runtime.ts";
import { resolved } from "./accept.ts";
import type { Winners } from "./accept.ts";
import { newJoin } from "./join.ts";
import type { Join } from "./join.ts";
import type { Store } from "./store.ts";

/** Answers whether it was known. */
export function acceptJoin(store: Store, work: NewJoin, now: Instant, winners: Winners): boolean {
  const known = store.joins.find(work.id);
  const join = known ?? storeJoin(store, work, winners, now);
  store.joins.touch(join, now);
  if (work.isSealed && !join.isSealed) seal(store, join);
  return known !== undefined;
}

function storeJoin(store: Store, work: NewJoin, winners: Winners, now: Instant): Join {
  const parent = work.join === undefined ? undefined : store.joins.find(work.join);
  const join = newJoin(work, { seq: store.nextSeq(), parent, after: resolved(store, work.after, winners) }, now);
  store.addJoin(join);
  return join;
}

/** What it holds is looked at when the atom is stored: its members may stand behind it there. */
function seal(store: Store, join: Join): void {
  join.isSealed = true;
  store.joins.staged.remove(join);
  if (join.state !== "staged") return;
  join.state = "waiting";
  store.afters.lookAt(join);
}
