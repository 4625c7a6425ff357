/** Every law, in the order of the guarantees. */
import type { Law } from "./law.ts";
import { acceptLaws } from "./laws/accept.ts";
import { batchLaws } from "./laws/batch.ts";
import { boundLaws } from "./laws/bounds.ts";
import { breakerLaws } from "./laws/breakers.ts";
import { cancelLaws } from "./laws/cancel.ts";
import { checkpointLaws } from "./laws/checkpoints.ts";
import { chainLaws } from "./laws/chain.ts";
import { clockLaws } from "./laws/clocks.ts";
import { diedLaws } from "./laws/died.ts";
import { appTransactionLaws } from "./laws/appTransaction.ts";
import { commitLaws } from "./laws/commit.ts";
import { fanOutLaws } from "./laws/fanOut.ts";
import { followLaws } from "./laws/follow.ts";
import { heldLockLaws } from "./laws/heldLocks.ts";
import { gatherLaws } from "./laws/gather.ts";
import { leadingLaws } from "./laws/leading.ts";
import { guardLaws } from "./laws/guards.ts";
import { largeBatchLaws } from "./laws/largeBatch.ts";
import { leaseLaws } from "./laws/lease.ts";
import { hourLaws } from "./laws/hours.ts";
import { limitLaws } from "./laws/limits.ts";
import { lockLaws } from "./laws/locks.ts";
import { lookingLaws } from "./laws/looking.ts";
import { misuseLaws } from "./laws/misuse.ts";
import { orderLaws } from "./laws/order.ts";
import { parkLaws } from "./laws/park.ts";
import { pauseLaws } from "./laws/pause.ts";
import { payloadLaws } from "./laws/payload.ts";
import { portLaws } from "./laws/port.ts";
import { poisonLaws } from "./laws/poison.ts";
import { resourceLaws } from "./laws/resources.ts";
import { recoveryLaws } from "./laws/recovery.ts";
import { reconcileLaws } from "./laws/reconcile.ts";
import { resultLaws } from "./laws/results.ts";
import { retentionLaws } from "./laws/retention.ts";
import { retryLaws } from "./laws/retry.ts";
import { scheduleLaws } from "./laws/schedules.ts";
import { skipLaws } from "./laws/skip.ts";
import { timeLaws } from "./laws/time.ts";
import { tryNowLaws } from "./laws/tryNow.ts";
import { uniqueLaws } from "./laws/unique.ts";
import { unknownLaws } from "./laws/unknown.ts";
import { urgencyLaws } from "./laws/urgency.ts";
import { whyLaws } from "./laws/why.ts";
import { whyBatchLaws } from "./laws/whyBatches.ts";
import { whyLimitLaws } from "./laws/whyLimits.ts";
import { versionLaws } from "./laws/versions.ts";

const all: readonly Law[] = [
  ...acceptLaws,
  ...misuseLaws,
  ...retryLaws,
  ...followLaws,
  ...batchLaws,
  ...largeBatchLaws,
  ...chainLaws,
  ...guardLaws,
  ...appTransactionLaws,
  ...commitLaws,
  ...checkpointLaws,
  ...diedLaws,
  ...pauseLaws,
  ...lookingLaws,
  ...leaseLaws,
  ...portLaws,
  ...cancelLaws,
  ...timeLaws,
  ...uniqueLaws,
  ...orderLaws,
  ...parkLaws,
  ...urgencyLaws,
  ...hourLaws,
  ...limitLaws,
  ...resourceLaws,
  ...breakerLaws,
  ...fanOutLaws,
  ...poisonLaws,
  ...skipLaws,
  ...lockLaws,
  ...heldLockLaws,
  ...leadingLaws,
  ...payloadLaws,
  ...boundLaws,
  ...retentionLaws,
  ...scheduleLaws,
  ...reconcileLaws,
  ...recoveryLaws,
  ...clockLaws,
  ...unknownLaws,
  ...versionLaws,
  ...resultLaws,
  ...tryNowLaws,
  ...gatherLaws,
  ...whyLaws,
  ...whyLimitLaws,
  ...whyBatchLaws,
];

const number = (law: Law): number => Number(law.guarantee.slice(1));

export const laws: readonly Law[] = all.toSorted((a, b) => number(a) - number(b));
