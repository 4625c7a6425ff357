/** Every default and every cap, in one place. docs/reference/defaults.md is held to this file by a test. */
const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Leases and heartbeats (G3, G20). */
export const leaseMs: number = 8 * second;
export const beatEveryMs: number = 2 * second;
export const maxBlockMs: number = 90 * second;

/** Running. */
export const queueName = "default";
export const slotsPerQueue = 10;
export const timeoutMs: number = 15 * minute;
export const abortGraceMs: number = 10 * second;
export const stopGraceMs: number = 25 * second;
export const claimMax = 1_000;
export const claimAheadMs: number = 1 * second;

/** Retrying. */
export const attemptsMax = 10;
export const backoffFirstMs: number = 1 * second;
export const backoffUpToMs: number = 1 * hour;
/** Jitter only lengthens: a delay d becomes between d and d × (1 + jitter). */
export const jitter = 0.25;
export const attemptsRecordedMax = 10;

/** Crashes (G13). A job this often suspect runs alone. */
export const suspectsBeforeAlone = 2;
/** Deaths alone, in a worker that can have no child, before the job is quarantined. */
export const deathsAloneMax = 2;

/** How much sooner than its due time a job counts as due (G8). */
export const headStartMs: Readonly<Record<"low" | "normal" | "high", number>> = { low: -10 * minute, normal: 0, high: 10 * minute };

/** How long an ended job is kept, per ending; and how long an id given by the caller is remembered. */
export const keepMs: Readonly<Record<"completed" | "skipped" | "cancelled" | "dead", number>> = {
  completed: 1 * day,
  skipped: 1 * day,
  cancelled: 7 * day,
  dead: 30 * day,
};
export const rememberMs: number = 7 * day;
export const eventsKeptMs: number = 7 * day;
export const joinsKeptMs: number = 7 * day;
/** A batch whose storing was given up is removed after so long. */
export const stagedKeptMs: number = 1 * hour;

/** Payloads (G18). */
export const payloadBytesMax: number = 256 * 1_024;
export const payloadBytesWarn: number = 4 * 1_024;
export const payloadDepthMax = 64;
export const payloadKeysMax = 10_000;
/** What a run returns for those that come after it, and a guard's premise. */
export const resultBytesMax: number = 4 * 1_024;
export const expectingBytesMax: number = 4 * 1_024;

/** Everything is bounded (G19). */
export const enqueueMax = 500;
export const enqueueCallMax = 100_000;
export const tidyMax = 1_000;
export const tidyEveryMs: number = 0.5 * second;
export const pageMax = 1_000;
export const pageSize = 50;
export const changeMax = 1_000;
export const nameLengthMax = 100;
export const idLengthMax = 200;
export const followUpsMax = 500;
/** Composition (G11) and limits (G9). */
export const afterMax = 500;
export const nestingMax = 100;
export const keyLimitsMax = 8;
export const reasonLengthMax = 1_000;
export const errorMessageMax: number = 4 * 1_024;
export const errorStackMax: number = 16 * 1_024;
export const delayMaxMs: number = 10 * 365 * day;
/** Samples of one metric; further ones are counted. */
export const metricSamplesMax = 10_000;

/** Waiting for work. */
export const pollIdleMs: number = 1 * second;
/** Where wake-ups of other processes are not heard: for so long after work came. */
export const pollBusyMs = 12;
export const pollBusyForMs: number = 1 * minute;
export const storeBusyMs: number = 10 * second;
export const reconnectFirstMs = 100;
export const reconnectUpToMs: number = 1 * second;
/** PostgreSQL: connections of a pool that errand makes; how long one may take to be had, and a statement to be answered. */
export const postgresPoolSize = 4;
export const postgresConnectMs: number = 10 * second;
export const postgresAnswerMs: number = 30 * second;
/** How long a call waits for a lock, the store's write lock or one of names that an open transaction promised: less than an answer may take, so that the server gives up first. */
export const postgresLockMs: number = 20 * second;
/** How long bringing a schema up to a new version waits for a table: what came after it waits as long. */
export const postgresMigrateLockMs: number = 2 * second;
/** Redis: how long a connection may take to be had, a command to be answered, and as many replicas as were asked for to have a write; how often its settings are looked at. */
export const redisConnectMs: number = 1.5 * second;
export const redisAnswerMs: number = 5 * second;
export const redisReplicasMs: number = 2 * second;
export const redisReplicasMax = 100;
export const redisLookEveryMs: number = 1 * minute;
/** A Redis Cluster: how long a call waits for a node that serves its keys, how long between two tries, and how many nodes are asked in each for who has them. */
export const redisClusterMs: number = 2 * second;
export const redisAgainFirstMs = 10;
export const redisAgainUpToMs = 200;
export const redisNodesTried = 5;
/** Over several partitions: for how long what one has ready is taken for known, where nothing is heard of it. */
export const headMs: number = 1 * second;
/** An outbox: how much of it is moved on at once, for how long at most before others may go on with it, and how soon after a commit of this process it is looked at. */
export const outboxRowsMax = 500;
export const outboxWorksMax = 500;
export const outboxBytesMax: number = 4 * 1024 * 1024;
export const outboxLeaseMs: number = 10 * second;
export const outboxLookFirstMs = 5;
/** A snapshot so old keeps vacuum from its work: workers look so often, and tell of it, as does `errand doctor`. To that, a table with so many dead rows is due for vacuum. */
export const pinnedAfterMs: number = 5 * minute;
export const pinsLookEveryMs: number = 1 * minute;
export const deadRowsLeast = 10_000;
/** How often a process tells others of new work, at most, and asks itself whether it still hears them; without an answer it listens anew. */
export const notifyEveryMs = 10;
export const probeEveryMs: number = 15 * second;
export const probeAnswerMs: number = 5 * second;

/** Jobs that one broker tries at once, at most; further ones are left to workers. */
export const tryNowMax = 100;

/** Waiting for a job's result; how soon after a look the next one may come, and how long to wait if it is not told. */
export const resultWithinMs: number = 30 * second;
export const resultLookSoonMs = 20;
/** Waits of one broker at once. */
export const resultWaitsMax = 10_000;

/** Payloads that one job merges, unless its task says otherwise. */
export const gatherMost = 100;

/** Long jobs. What a job saves, the results of its steps and the places of its loops, together. */
export const checkpointBytesMax: number = 256 * 1_024;
export const saveEveryMs: number = 1 * second;

/** Locks (G17). */
export const lockWaitMs: number = 30 * second;
/** How soon after it asked one that waits for a lock may ask again; the longer it waits, the later. */
export const lockAskEveryMs = 25;
/** Held and waited for, in one broker. */
export const locksMax = 1_000;

/** Schedules (G12). */
export const scheduleEveryLeastMs: number = 1 * second;
/** A slot that is so late was missed: no worker was there in time. */
export const missedAfterMs: number = 10 * second;
export const missedRunsMax = 1_000;
export const backfillMax = 10_000;
export const schedulesReadEveryMs: number = 1 * minute;

/** Reconciliation (G16). */
export const reconcileTimeoutMs: number = 1 * hour;
export const reconcileAttemptsMax = 3;

/** Limits (G9) and breakers. */
export const limitMax = 1_000_000;
/** A breaker opens when so many different jobs failed among the last so many runs of a process, within the time. */
export const breakerFailing = 10;
export const breakerOf = 20;
export const breakerWithinMs: number = 1 * minute;
/** An open one probes again after a sixtieth of the time of the trouble, but not sooner or later than that. */
export const breakerProbeLeastMs: number = 1 * second;
export const breakerProbeMostMs: number = 30 * second;
/** The ramp begins with so much of the rate before the trouble, and grows by so much in so long, in steps. */
export const breakerRampFrom = 0.1;
export const breakerRampGrowth = 1.5;
export const breakerRampGrowthMs: number = 5 * second;
export const breakerRampStepMs: number = 0.5 * second;
/** It begins with no less than so many starts a second; where that is more than before the trouble, it doubles each second up to the other. */
export const breakerRampLeast = 2;
export const breakerRampQuickTo = 10;
/** Of the starts until it is back at what was done before, at most so many are of jobs that were tried before, while others come up. */
export const breakerRetryShare = 0.2;
