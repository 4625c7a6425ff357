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

/** Payloads (G18). */
export const payloadBytesMax: number = 256 * 1_024;
export const payloadBytesWarn: number = 4 * 1_024;
export const payloadDepthMax = 64;
export const payloadKeysMax = 10_000;

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
export const reasonLengthMax = 1_000;
export const errorMessageMax: number = 4 * 1_024;
export const errorStackMax: number = 16 * 1_024;
export const delayMaxMs: number = 10 * 365 * day;

/** Composition (G11) and limits (G9). */
export const afterMax = 500;
export const keyLimitsMax = 8;
export const joinsKeptMs: number = 7 * day;
/** A batch whose storing was given up is removed after so long. */
export const stagedKeptMs: number = 1 * hour;

/** Waiting for work. */
export const pollIdleMs: number = 1 * second;
export const storeBusyMs: number = 10 * second;
export const reconnectFirstMs = 100;
export const reconnectUpToMs: number = 1 * second;
