/** What the port's tests are made of: the laws of each verb, and the stage that each of them is given. */
import type { EngineUnderTest } from "./engines.ts";
import { cases as after } from "./after.ts";
import { cases as afterHeld } from "./afterHeld.ts";
import { cases as bornLeases } from "./bornLease.ts";
import { cases as changing } from "./change.ts";
import { cases as claiming } from "./claim.ts";
import { cases as enqueueing } from "./enqueue.ts";
import { cases as finding } from "./find.ts";
import { cases as gathering } from "./gather.ts";
import { cases as gates } from "./gates.ts";
import { cases as inRow } from "./inRow.ts";
import { cases as inRowParts } from "./inRowParts.ts";
import { cases as joinEnds } from "./joinEnds.ts";
import { cases as joinFinding } from "./joinFind.ts";
import { cases as joinKept } from "./joinKept.ts";
import { cases as joinMembers } from "./joinMembers.ts";
import { cases as joins } from "./joins.ts";
import { cases as keyLimitPlace } from "./keyLimitPlace.ts";
import { cases as keyLimits } from "./keyLimits.ts";
import { cases as laneDeaths } from "./laneDeaths.ts";
import { cases as lanes } from "./lanes.ts";
import { cases as lettingGo } from "./letGo.ts";
import { cases as locking } from "./lock.ts";
import { cases as notes } from "./notes.ts";
import { cases as opening } from "./open.ts";
import { cases as processes } from "./processes.ts";
import { cases as publishing } from "./publish.ts";
import { cases as retries } from "./retries.ts";
import { cases as settling } from "./settle.ts";
import { cases as terms } from "./terms.ts";
import { cases as tidying } from "./tidy.ts";
import { cases as uniqueness } from "./unique.ts";
import { Stage } from "./stage.ts";
import type { Case } from "./stage.ts";
import { StillRuntime } from "./stillRuntime.ts";
import type { TransitionWatch } from "./transitionWatch.ts";

export const tables: Readonly<Record<string, readonly Case[]>> = {
  open: opening,
  enqueue: enqueueing,
  unique: uniqueness,
  claim: claiming,
  settle: settling,
  lanes,
  laneDeaths,
  processes,
  tidy: tidying,
  publish: publishing,
  change: changing,
  find: finding,
  notes,
  lock: locking,
  after,
  afterHeld,
  joins,
  lettingGo,
  joinMembers,
  joinEnds,
  joinKept,
  joinFinding,
  keyLimits,
  keyLimitPlace,
  gates,
  terms,
  retries,
  inRow,
  inRowParts,
  bornLeases,
  gathering,
};

export async function onFreshStage(under: EngineUnderTest, watch: TransitionWatch, run: Case["run"]): Promise<void> {
  const { engine, dispose } = await under.fresh();
  try {
    await engine.open({ runtime: new StillRuntime() });
    await run(new Stage(engine, watch));
  } finally {
    await engine.close();
    await dispose();
  }
}
