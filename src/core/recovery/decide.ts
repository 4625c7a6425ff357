/** What one process makes of a breaker's state and of what its own runs have told. Pure. */
import type { Instant } from "../runtime.ts";
import {
  changesAt,
  drained,
  failed,
  lowered,
  opened,
  probed,
  quietMs,
  ramped,
  reopened,
  stepped,
  toldBy,
  type BreakerState,
  type Told,
} from "./breakerState.ts";
import type { Evidence } from "./evidence.ts";

export interface Findings {
  readonly evidence: Evidence;
  readonly told: Told;
  /** While it ramps: jobs wait for its rate, as far as is known. */
  readonly isBinding: boolean;
  /** While it ramps: when a job that was not tried before was last handed out here. */
  readonly untriedAt: Instant;
  /** While it drains: when the last job that had piled up was handed out here. */
  readonly backlogAt: Instant;
}

/** What had piled up is gone when none of it was handed out for so long. */
const drainedAfterMs = 30_000;
const settlingMs = 1_000;

/** Only runs that were claimed at that time or later say something of this state. */
export function countsFrom(state: BreakerState): Instant {
  if (state.is === "open") return Number.POSITIVE_INFINITY;
  if (state.is !== "ramping") return state.since;
  // What was asked of it in the last second weighs on it yet.
  return state.loweredAt > state.since ? state.loweredAt + settlingMs : state.since;
}

/** The next state; undefined: it stays as it is. */
export function decide(state: BreakerState, now: Instant, findings: Findings): BreakerState | undefined {
  findings.evidence.countFrom(countsFrom(state));
  const next = nextOf(state, now, findings);
  return toldBy(next ?? state, findings.told) ?? next;
}

/** When to look again, if nothing is heard until then. Undefined: there is nothing to wait for. */
export function looksAt(state: BreakerState, { evidence, backlogAt }: Pick<Findings, "evidence" | "backlogAt">): Instant | undefined {
  if (state.is === "draining") return Math.max(state.since, backlogAt) + drainedAfterMs;
  const at = changesAt(state);
  return state.is !== "ramping" || at === undefined || hasSucceeded(state, evidence) ? at : state.steppedAt + quietMs;
}

function hasSucceeded(state: BreakerState, evidence: Evidence): boolean {
  return (evidence.succeededAt ?? 0) >= state.steppedAt;
}

function nextOf(state: BreakerState, now: Instant, { evidence, told, isBinding, untriedAt, backlogAt }: Findings): BreakerState | undefined {
  const { reason } = evidence;
  switch (state.is) {
    case "open":
      return now >= state.since + state.waitMs ? probed(state, now) : undefined;
    case "probing":
      if (evidence.hasFailed) return reopened(state, now, reason);
      return evidence.succeededAt === undefined ? undefined : ramped(state, now);
    case "ramping":
      if (evidence.verdict === "down") return failed(state, now, reason);
      if (evidence.verdict === "too much") return lowered(state, now, reason);
      return stepped(state, now, { hasSucceeded: hasSucceeded(state, evidence), isBinding, goodMs: evidence.goodMs, untriedAt });
    default:
      if (evidence.isOutage(now)) return opened(state, now, { reason, told });
      return state.is === "draining" && now - Math.max(state.since, backlogAt) >= drainedAfterMs ? drained(state, now) : undefined;
  }
}
