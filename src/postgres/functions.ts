/** All functions of a schema. They name each other freely: which one stands first does not matter. */
import { acceptFunctions } from "./accept.ts";
import { acceptJoinFunctions } from "./acceptJoin.ts";
import { admitFirstsFunctions } from "./admitFirsts.ts";
import { afterFunctions } from "./after.ts";
import { aftermathFunctions } from "./aftermath.ts";
import { alikeFunctions } from "./alike.ts";
import { beatFunctions } from "./beat.ts";
import { blockedByFunctions } from "./blockedBy.ts";
import { bornLeaseFunctions } from "./bornLease.ts";
import { byNameFunctions } from "./byName.ts";
import { cancelFunctions } from "./cancel.ts";
import { changeFunctions } from "./change.ts";
import { claimFunctions } from "./claim.ts";
import { claimsFunctions } from "./claims.ts";
import { compactFunctions } from "./compact.ts";
import { completeFunctions } from "./complete.ts";
import { completionFunctions } from "./completions.ts";
import { countFunctions } from "./count.ts";
import { dueFunctions } from "./due.ts";
import { enqueueFunctions } from "./enqueue.ts";
import { eraFunctions } from "./era.ts";
import { expireFunctions } from "./expire.ts";
import { fanOutFunctions } from "./fanOut.ts";
import { filterFunctions } from "./filter.ts";
import { findFunctions } from "./find.ts";
import { floorFunctions } from "./floors.ts";
import { gateRowFunctions } from "./gateRow.ts";
import { gateFunctions } from "./gates.ts";
import { gatheringFunctions } from "./gathering.ts";
import { giveManyRoomFunctions } from "./giveManyRoom.ts";
import { inRowFunctions } from "./inRow.ts";
import { inboxFunctions } from "./inbox.ts";
import { jobFunctions } from "./job.ts";
import { joinFunctions } from "./join.ts";
import { joinPassFunctions } from "./joinPasses.ts";
import { joinRetentionFunctions } from "./joinRetention.ts";
import { joinRowFunctions } from "./joinRow.ts";
import { joinTreeFunctions } from "./joinTree.ts";
import { keyLimitFunctions } from "./keyLimit.ts";
import { keyFunctions } from "./keys.ts";
import { laneFunctions } from "./lane.ts";
import { lanePassFunctions } from "./lanePasses.ts";
import { letGoFunctions } from "./letGo.ts";
import { letGoPlainFunctions } from "./letGoPlain.ts";
import { lifeFunctions } from "./life.ts";
import { limitPassFunctions } from "./limitPasses.ts";
import { lineFunctions } from "./lines.ts";
import { lockFunctions } from "./lock.ts";
import { membershipFunctions } from "./membership.ts";
import { moveFunctions } from "./move.ts";
import { newJobFunctions } from "./newJob.ts";
import { noteFunctions } from "./note.ts";
import { numberFunctions } from "./numbers.ts";
import { plainFunctions } from "./plain.ts";
import { plainMemberFunctions } from "./plainMembers.ts";
import { processFunctions } from "./processes.ts";
import { readyFunctions } from "./ready.ts";
import { readyPlaceFunctions } from "./readyPlace.ts";
import { refusalFunctions } from "./refusal.ts";
import { repeatFunctions } from "./repeats.ts";
import { replayFunctions } from "./replay.ts";
import { retentionFunctions } from "./retention.ts";
import { roomFunctions } from "./room.ts";
import { rowFunctions } from "./row.ts";
import { setAsideFunctions } from "./setAside.ts";
import { settleFunctions } from "./settle.ts";
import { startFunctions } from "./start.ts";
import { tidyFunctions } from "./tidy.ts";
import { tiedJobFunctions } from "./tiedJobs.ts";
import { tieFunctions } from "./ties.ts";
import { transactionFunctions } from "./transaction.ts";
import { turnFunctions } from "./turns.ts";
import { uniqueFunctions } from "./unique.ts";
import { waitsForFunctions } from "./waitsFor.ts";
import { yieldFunctions } from "./yieldTo.ts";

export const functions: string = [
  acceptFunctions,
  acceptJoinFunctions,
  admitFirstsFunctions,
  afterFunctions,
  aftermathFunctions,
  alikeFunctions,
  beatFunctions,
  blockedByFunctions,
  bornLeaseFunctions,
  byNameFunctions,
  cancelFunctions,
  changeFunctions,
  claimFunctions,
  claimsFunctions,
  compactFunctions,
  completeFunctions,
  completionFunctions,
  countFunctions,
  dueFunctions,
  enqueueFunctions,
  eraFunctions,
  expireFunctions,
  fanOutFunctions,
  filterFunctions,
  findFunctions,
  floorFunctions,
  gateRowFunctions,
  gateFunctions,
  gatheringFunctions,
  giveManyRoomFunctions,
  inRowFunctions,
  inboxFunctions,
  jobFunctions,
  joinFunctions,
  joinPassFunctions,
  joinRetentionFunctions,
  joinRowFunctions,
  joinTreeFunctions,
  keyLimitFunctions,
  keyFunctions,
  laneFunctions,
  lanePassFunctions,
  letGoFunctions,
  letGoPlainFunctions,
  lifeFunctions,
  limitPassFunctions,
  lineFunctions,
  lockFunctions,
  membershipFunctions,
  moveFunctions,
  newJobFunctions,
  noteFunctions,
  numberFunctions,
  plainFunctions,
  plainMemberFunctions,
  processFunctions,
  readyFunctions,
  readyPlaceFunctions,
  refusalFunctions,
  repeatFunctions,
  replayFunctions,
  retentionFunctions,
  roomFunctions,
  rowFunctions,
  setAsideFunctions,
  settleFunctions,
  startFunctions,
  tidyFunctions,
  tiedJobFunctions,
  tieFunctions,
  transactionFunctions,
  turnFunctions,
  uniqueFunctions,
  waitsForFunctions,
  yieldFunctions,
].join("\n");
