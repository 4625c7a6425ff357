/** What makes a job's life more than plain; stands in its narrow rows too. The names are told in sqlite's job.ts. */
export const flags = {
  hasLane: 1,
  hasUnique: 2,
  hasStartBy: 4,
  isRemembered: 8,
  hasJoin: 16,
  hasAfter: 32,
  hasFollowers: 64,
  isHeld: 128,
  hasKeyLimits: 256,
  isLimited: 512,
  isFollowing: 1_024,
  isGathering: 2_048,
  isFull: 4_096,
  isKept: 8_192,
  hasLater: 16_384,
} as const;

/** What a job may be and still have no more to it than its completion. */
export const bare: number = flags.isRemembered | flags.hasStartBy;
