/** What it depends on is failing, or recovers slowly. */
import { breakerGate, breakerKey } from "../../recovery/breakerNotes.ts";
import { dependencyWords } from "../../recovery/breakerPolicy.ts";
import type { BreakerState } from "../../recovery/breakerState.ts";
import { hasComeBack } from "../../recovery/rampRate.ts";
import type { Look } from "../look.ts";
import { agoWords, inWordsAt } from "../words.ts";
import type { Door, FindDoors } from "./door.ts";

export const breakers: FindDoors = async (row, known, look) => {
  const name = known?.breaker;
  if (name === undefined) return [];
  const state = await look.note<BreakerState>(breakerKey(name));
  const door = state && doorOf(dependencyWords(name), state, look);
  if (door === undefined || state?.is !== "ramping") return door === undefined ? [] : [door];
  const [gate] = await look.gates([breakerGate(name)]);
  const isFull = gate?.most !== undefined && gate.used >= gate.most;
  if (isFull) return [{ ...door, ...(gate.freeAt !== undefined && { opens: `the next may start ${inWordsAt(gate.freeAt, look.now)}` }) }];
  return row.attempts > 0 && !hasComeBack(state) ? [{ ...door, opens: "of these a fifth may have been tried before, while others come up" }] : [];
};

function doorOf(what: string, state: BreakerState, { now }: Look): Door | undefined {
  const since = agoWords(state.troubleAt, now);
  switch (state.is) {
    case "open":
      return { closed: `${what} has been failing for ${since} (${state.reason})`, opens: `one job tries it ${inWordsAt(state.since + state.waitMs, now)}` };
    case "probing":
      return { closed: `${what} has been failing for ${since} (${state.reason})`, opens: "one job is trying it, and others follow when that succeeds" };
    case "ramping":
      return { closed: `${what} failed until ${agoWords(state.recoveringAt, now)} ago, and ${Math.round(state.startRate)} may start a second for now` };
    default:
      return undefined;
  }
}
