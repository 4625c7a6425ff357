/** What a phase came to, in numbers. */
import type { Report } from "./carriedOut.ts";
import { effectNames } from "./effects.ts";
import type { Outage, Resent } from "./incidents.ts";
import type { Load } from "./load.ts";

/** How long an answer of a call that failed in the outage's last moment may still be under way. */
const answerMs = 50;

export type Kind = "stuffed" | "errand";

export interface Figures {
  readonly kind: Kind;
  readonly sent: number;
  /** Requests that failed: their customers were told so. */
  readonly failed: number;
  /** … while no third party was down: one of the ten calls had failed, as each does now and then. */
  readonly failedWithoutOutage: number;
  /** … although their card was charged. */
  readonly failedButCharged: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Orders in the shop's database: it owes each of them every effect. */
  readonly stored: number;
  readonly expected: number;
  readonly done: number;
  /** Effects that an order in the database never got. */
  readonly lost: number;
  /** Of these, effects of orders that the shop had accepted. */
  readonly lostOfAccepted: number;
  readonly retries: number;
  readonly attemptedTwice: number;
  readonly doneTwice: number;
  readonly entriesOutOfOrder: number;
  /** Runs that found their work done and ended as skipped. */
  readonly skipped: number;
  readonly resent: Resent;
  /** Jobs that gave up. */
  readonly dead: number;
  /** From the mail's return until every receipt owed by then was sent. Undefined: it never came to that. */
  readonly caughtUpMs: number | undefined;
  /** From the last answer until nothing was left to do. Undefined: effects are missing. */
  readonly finishedMs: number | undefined;
  readonly workersKilled: number;
}

export interface Observed {
  readonly kind: Kind;
  readonly load: Load;
  readonly report: Report;
  readonly placed: readonly { readonly id: string; readonly accountId: string }[];
  readonly outage: Outage;
  readonly resent: Resent;
  readonly workersKilled: number;
  /** When nothing was left to do (ms since 1970). */
  readonly settledAt: number;
  readonly skipped: number;
  readonly dead: number;
}

export function figuresOf(seen: Observed): Figures {
  const { load, report, placed } = seen;
  const ids = placed.map(({ id }) => id);
  const lost = missing(ids, report).length;
  return {
    kind: seen.kind,
    sent: load.sent,
    failed: load.refused.size,
    failedWithoutOutage: [...load.refused.values()].filter((at) => at < seen.outage.from || at > seen.outage.to + answerMs).length,
    failedButCharged: [...load.refused.keys()].filter((id) => report.done.payment?.[id] !== undefined).length,
    p50Ms: percentile(load.responsesMs, 0.5),
    p99Ms: percentile(load.responsesMs, 0.99),
    stored: ids.length,
    expected: ids.length * effectNames.length,
    done: ids.length * effectNames.length - lost,
    lost,
    lostOfAccepted: missing([...load.accepted.keys()], report).length,
    retries: report.calledAgain,
    attemptedTwice: report.attemptedTwice,
    doneTwice: report.doneTwice,
    entriesOutOfOrder: outOfOrder(seen),
    skipped: seen.skipped,
    resent: seen.resent,
    dead: seen.dead,
    caughtUpMs: caughtUpMs(seen),
    finishedMs: lost > 0 ? undefined : Math.max(0, seen.settledAt - lastAnswerAt(load)),
    workersKilled: seen.workersKilled,
  };
}

/** What must hold with errand, whatever went wrong meanwhile. Empty: all of it does. */
export function brokenPromises(figures: Figures): readonly string[] {
  const promises: readonly (readonly [broken: number, sentence: string])[] = [
    [figures.lostOfAccepted, "effects of accepted orders were not carried out"],
    [figures.entriesOutOfOrder, "ledger entries were booked out of order"],
    [figures.doneTwice, "effects were done twice in spite of the idempotency key"],
    [figures.dead, "jobs gave up"],
  ];
  return promises.filter(([broken]) => broken > 0).map(([broken, sentence]) => `${broken} ${sentence}`);
}

function missing(ids: readonly string[], report: Report): readonly string[] {
  return ids.flatMap((id) => effectNames.filter((effect) => report.done[effect]?.[id] === undefined));
}

/** An entry is out of order if an earlier order of its account was booked after it, or not at all. */
function outOfOrder({ placed, report }: Observed): number {
  const booked = Map.groupBy(report.entries, ({ accountId }) => accountId);
  let entries = 0;
  for (const [accountId, orders] of Map.groupBy(placed, (order) => order.accountId)) {
    const turns = new Map((booked.get(accountId) ?? []).map(({ orderId }, turn) => [orderId, turn]));
    let latest = -1;
    for (const { id } of orders) {
      const turn = turns.get(id);
      if (turn === undefined) continue;
      if (turn < latest) entries += 1;
      latest = Math.max(latest, turn);
    }
  }
  return entries;
}

/** Orders that were refused in the outage are owed their receipt too: they are in the database. */
function caughtUpMs({ load, report, outage }: Observed): number | undefined {
  const owed = [...load.accepted, ...load.refused].filter(([, answeredAt]) => answeredAt <= outage.to).map(([id]) => report.done.mail?.[id]);
  if (owed.includes(undefined)) return undefined;
  return Math.max(0, ...owed.map((at) => (at ?? 0) - outage.to));
}

function lastAnswerAt(load: Load): number {
  return [...load.accepted.values()].reduce((last, at) => Math.max(last, at), 0);
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
