/** All modules of the scripts, and the scripts made of them. */
import { assembled } from "./fragment.ts";
import type { Fragment, Main, Script } from "./fragment.ts";
import { prelude } from "./prelude.ts";
import { acceptFragment } from "./accept.ts";
import { acceptJoinFragment } from "./acceptJoin.ts";
import { adoptFragment } from "./adopt.ts";
import { aftersFragment } from "./after.ts";
import { aftermathFragment } from "./aftermath.ts";
import { beatFragment } from "./beat.ts";
import { blocksFragment } from "./blocks.ts";
import { bornLeaseFragment } from "./bornLease.ts";
import { changeFragment } from "./change.ts";
import { choiceFragment } from "./choice.ts";
import { claimFragment } from "./claim.ts";
import { claimsFragment } from "./claims.ts";
import { digestFragment } from "./digest.ts";
import { dueFragment } from "./due.ts";
import { endedFragment } from "./ended.ts";
import { enqueueFragment } from "./enqueue.ts";
import { eraFragment } from "./era.ts";
import { eventsFragment } from "./events.ts";
import { expireFragment } from "./expire.ts";
import { fanOutFragment } from "./fanOut.ts";
import { filterFragment } from "./filter.ts";
import { findFragment } from "./find.ts";
import { gateRowFragment } from "./gateRow.ts";
import { gatesFragment } from "./gates.ts";
import { gatheringFragment } from "./gathering.ts";
import { handOutFragment } from "./handOut.ts";
import { handSpansFragment } from "./handSpans.ts";
import { headFragment } from "./head.ts";
import { inRowFragment } from "./inRow.ts";
import { inStateFragment } from "./inState.ts";
import { jobFragment } from "./job.ts";
import { jobRowFragment } from "./jobRow.ts";
import { jobRulesFragment } from "./jobRules.ts";
import { joinsFragment } from "./join.ts";
import { joinPassesFragment } from "./joinPasses.ts";
import { joinRetentionFragment } from "./joinRetention.ts";
import { joinRowFragment } from "./joinRow.ts";
import { joinTreeFragment } from "./joinTree.ts";
import { joiningFragment } from "./joining.ts";
import { keyLimitFragment } from "./keyLimit.ts";
import { keysFragment } from "./keys.ts";
import { laneFragment, lanesFragment } from "./lane.ts";
import { lanePassesFragment } from "./lanePasses.ts";
import { letGoFragment } from "./letGo.ts";
import { lenderFragment } from "./lender.ts";
import { lifeFragment } from "./life.ts";
import { limitPassesFragment } from "./limitPasses.ts";
import { lineFragment } from "./line.ts";
import { loansFragment } from "./loans.ts";
import { lockFragment } from "./lock.ts";
import { mailFragment } from "./mail.ts";
import { marksFragment } from "./marks.ts";
import { metaFragment } from "./meta.ts";
import { newJobFragment } from "./newJob.ts";
import { notesFragment } from "./note.ts";
import { orderedFragment } from "./ordered.ts";
import { outcomesFragment } from "./outcomes.ts";
import { prefetchFragment } from "./prefetch.ts";
import { processesFragment } from "./processes.ts";
import { readyFragment } from "./ready.ts";
import { readyCursorFragment } from "./readyCursor.ts";
import { rebirthFragment } from "./rebirth.ts";
import { repeatsFragment } from "./repeats.ts";
import { replayFragment } from "./replay.ts";
import { retentionFragment } from "./retention.ts";
import { routeFragment } from "./route.ts";
import { rowsFragment } from "./rows.ts";
import { scheduledFragment } from "./scheduled.ts";
import { settleFragment } from "./settle.ts";
import { slimFragment } from "./slimJobs.ts";
import { spansFragment } from "./spans.ts";
import { standInFragment } from "./standIn.ts";
import { startFragment } from "./start.ts";
import { storeFragment } from "./store.ts";
import { takeFragment } from "./take.ts";
import { templateFragment } from "./template.ts";
import { uniqueFragment } from "./unique.ts";
import { unknownFragment } from "./unknown.ts";
import { watchFragment } from "./watchAfter.ts";

const fragments: readonly Fragment[] = [
  acceptFragment,
  acceptJoinFragment,
  adoptFragment,
  aftermathFragment,
  aftersFragment,
  beatFragment,
  blocksFragment,
  bornLeaseFragment,
  changeFragment,
  choiceFragment,
  claimFragment,
  claimsFragment,
  digestFragment,
  dueFragment,
  endedFragment,
  enqueueFragment,
  eraFragment,
  eventsFragment,
  expireFragment,
  fanOutFragment,
  filterFragment,
  findFragment,
  gateRowFragment,
  gatesFragment,
  gatheringFragment,
  handOutFragment,
  handSpansFragment,
  headFragment,
  inRowFragment,
  inStateFragment,
  jobFragment,
  jobRowFragment,
  jobRulesFragment,
  joinPassesFragment,
  joinRetentionFragment,
  joinRowFragment,
  joinTreeFragment,
  joiningFragment,
  joinsFragment,
  keyLimitFragment,
  keysFragment,
  laneFragment,
  lanePassesFragment,
  lanesFragment,
  lenderFragment,
  letGoFragment,
  lifeFragment,
  limitPassesFragment,
  lineFragment,
  loansFragment,
  lockFragment,
  mailFragment,
  marksFragment,
  metaFragment,
  newJobFragment,
  notesFragment,
  orderedFragment,
  outcomesFragment,
  prefetchFragment,
  processesFragment,
  readyCursorFragment,
  readyFragment,
  rebirthFragment,
  repeatsFragment,
  replayFragment,
  retentionFragment,
  routeFragment,
  rowsFragment,
  scheduledFragment,
  settleFragment,
  slimFragment,
  spansFragment,
  standInFragment,
  startFragment,
  storeFragment,
  takeFragment,
  templateFragment,
  uniqueFragment,
  unknownFragment,
  watchFragment,
];

const modules: ReadonlyMap<string, Fragment> = new Map(fragments.map((fragment) => [fragment.name, fragment]));
const scripts = new Map<Main, Script>();

/** Made once. */
export function scriptOf(main: Main): Script {
  const known = scripts.get(main);
  if (known !== undefined) return known;
  const made = assembled(main, prelude, modules);
  scripts.set(main, made);
  return made;
}
