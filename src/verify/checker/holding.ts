/** What is held by few at a time: limits, locks, leadership. */
import type { GuardedLine } from "../history.ts";
import { Count } from "../workload/guarded.ts";
import { limitedTo } from "../workload/policies.ts";
import type { Evidence, Found, Invariant } from "./invariant.ts";
import { okOf } from "./ledger.ts";

interface Span {
  readonly what: string;
  readonly from: number;
  readonly to: number;
}

/** Looks at each beginning: how many of the spans that began before are not over. */
function lookForMore(most: number, spans: readonly Span[], found: Found, example: (at: Span, others: readonly Span[]) => string): void {
  let live: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    live = live.filter(({ to }) => to > span.from);
    const others = live;
    live = [...live, span];
    found.look(live.length <= most, () => example(span, others));
  }
}

const limits: Invariant = {
  id: "I14",
  name: "no more jobs of a limited task run at once than its limit says",
  check: ({ ledger, causes }, found) => {
    const runs = [...ledger.jobs.values()].flatMap((record) => record.runs).filter(({ kind }) => kind === "limited");
    const spans = runs.flatMap((run): Span[] => {
      const to = causes.heldUntil(run);
      return to === undefined ? [] : [{ what: run.n, from: run.from, to }];
    });
    lookForMore(
      limitedTo,
      spans,
      found,
      ({ what }, others) => `${what} started while ${others.map((other) => other.what).join(", ")} ran, and the limit is ${limitedTo}`,
    );
  },
};

interface Grant {
  readonly p: string;
  readonly fence: number;
  readonly asked: number;
  readonly from: number;
  /** When it began to be given back. */
  readonly to: number | undefined;
  /** When it had been given back. */
  readonly returned: number | undefined;
}

function grantsOf({ ledger }: Evidence, name: string): Grant[] {
  return ledger.locks.flatMap((call): Grant[] => {
    const { asked } = call;
    const answer = okOf(call);
    if (asked.op !== "lock" || asked.name !== name || answer?.fence === undefined) return [];
    const back = ledger.unlocks.get(answer.fence);
    return [{ p: asked.p, fence: answer.fence, asked: asked.t, from: answer.t, to: back?.asked.t, returned: back && okOf(back)?.t }];
  });
}

/** One that was asked for after another one had been given back has a larger fence; no two have the same. */
function lookAtFences(name: string, grants: readonly Grant[], found: Found): void {
  const byReturned = grants.filter(({ returned }) => returned !== undefined).toSorted((a, b) => (a.returned ?? 0) - (b.returned ?? 0));
  let [at, largest] = [0, 0];
  for (const grant of grants.toSorted((a, b) => a.asked - b.asked)) {
    for (let before = byReturned[at]; before !== undefined && (before.returned ?? 0) < grant.asked; before = byReturned[++at])
      largest = Math.max(largest, before.fence);
    const below = largest;
    found.look(grant.fence > below, () => `${name}: ${grant.p} was granted fence ${grant.fence} after ${below} had been given back`);
  }
  const distinct = new Set(grants.map(({ fence }) => fence)).size;
  found.look(distinct === grants.length, () => `${name}: ${grants.length} grants have ${distinct} fences`);
}

/** Of writes under a lock none is lost: each one that is accepted counts one more. */
function lookForLostWrites(name: string, lines: readonly GuardedLine[], found: Found): void {
  const count = new Count();
  for (const line of lines.filter((one) => one.name === name)) {
    const before = count.value;
    if (!count.take(line) || line.value === undefined) continue;
    found.look(line.value === before + 1, () => `${name}: ${line.p} wrote ${line.value} over ${before} with fence ${line.fence}: a write is lost`);
  }
}

const locks: Invariant = {
  id: "I16",
  name: "a lock has one holder, fences of its grants grow, and no write that looks at the fence is lost",
  check: (evidence, found) => {
    const grants = grantsOf(evidence, "verify-lock");
    const spans = grants.flatMap(({ p, fence, from, to }): Span[] => {
      const until = evidence.causes.heldUntil({ p, from, to });
      return until === undefined ? [] : [{ what: `${p} (fence ${fence})`, from, to: until }];
    });
    lookForMore(1, spans, found, ({ what }, others) => `verify-lock was granted to ${what} while ${others.map((other) => other.what).join(", ")} held it`);
    lookAtFences("verify-lock", grants, found);
    lookForLostWrites("verify-lock", evidence.ledger.guarded, found);
  },
};

const leaders: Invariant = {
  id: "I17",
  name: "one leader at a time writes what is accepted, each with a fence of its own",
  check: (evidence, found) => {
    lookAtFences("verify-leader", grantsOf(evidence, "verify-leader"), found);
    lookForLostWrites("verify-leader", evidence.ledger.guarded, found);
  },
};

export const holdingInvariants: readonly Invariant[] = [limits, locks, leaders];
