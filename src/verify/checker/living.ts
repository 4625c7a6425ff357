/** That it goes on: all ends, every call is answered; and without faults all is as it should be. */
import { isEnded, type JobState } from "../../core/states.ts";
import type { Invariant } from "./invariant.ts";
import type { Call } from "./ledger.ts";
import { heldByPoison } from "./ordering.ts";

const goesOn: Invariant = {
  id: "I21",
  name: "when the faults are over every job ends, and every call has been answered",
  check: ({ ledger, causes }, found) => {
    const drained = ledger.phases.find(({ phase }) => phase === "drained" || phase === "not drained");
    const held = heldByPoison(ledger);
    const open = [...ledger.jobs.values()].flatMap(({ stored }) => stored).filter(({ n, state }) => !isEnded(state as JobState) && !held.has(n));
    found.look(
      drained?.phase === "drained" && open.length === 0,
      () => `${open.length} jobs had not ended in the end, such as ${open[0]?.n}, ${open[0]?.state}`,
    );
    for (const call of ledger.calls.values()) {
      const isGone = causes.of(call.asked.p).some(({ kind, to }) => (kind === "kill" || kind === "term") && to >= call.asked.t);
      if (!isGone) found.look(call.answers.length > 0, () => `${call.asked.op} of ${call.asked.p} was never answered`);
    }
  },
};

/** Somebody else has the lock; the caller took it back. */
const expected: readonly string[] = ["lock-timeout", "rolled-back"];

function complaintOf({ answers }: Call, until: number): string | undefined {
  const bad = answers.find(({ is, t, code = "" }) => is !== "ok" && t < until && !expected.includes(code));
  return bad?.code;
}

const perfect: Invariant = {
  id: "I0",
  name: "without faults every call is done, and every job starts once",
  check: ({ ledger, causes }, found) => {
    const until = ledger.began("faults");
    for (const call of ledger.calls.values()) {
      if (call.asked.t >= until) continue;
      const code = complaintOf(call, until);
      found.look(code === undefined, () => `${call.asked.op} of ${call.asked.p} was answered ${code}`);
    }
    for (const { n, runs } of ledger.jobs.values()) {
      const again = causes.startsAgain(runs.filter(({ from }) => from < until));
      if (runs.length > 0) found.look(again.length === 0, () => `${n} started ${again.length + 1} times before there was any fault`);
    }
  },
};

export const livingInvariants: readonly Invariant[] = [perfect, goesOn];
