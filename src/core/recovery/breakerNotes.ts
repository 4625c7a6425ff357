/** Where a breaker stands in the store: its state, for all processes to read and to change; and, while it is not healthy, the limit that claims are held to. */
import type { Note, NoteWrite } from "../engine.ts";
import { limitKey } from "../notes.ts";
import { limitOf, unknownState, type BreakerState } from "./breakerState.ts";

export const breakerPrefix = "breaker/";
export const breakerKey = (name: string): string => `${breakerPrefix}${name}`;
/** The name of the limit that its starts are held to. */
export const breakerGate = (name: string): string => `breaker/${name}`;
/** And of the one that keeps a second try from starting when the first has ended, and nobody has read yet how. */
const tryGate = (name: string): string => `breaker/${name}/try`;
/** What claims ask for it by. */
export const breakerGates = (name: string): readonly string[] => [breakerGate(name), tryGate(name)];

export function stateIn(note: Note): BreakerState {
  return { ...unknownState, ...(JSON.parse(note.value) as Partial<BreakerState>) };
}

/** Only where it is still in the version that was read: of several processes one makes the change. */
export function writesOf(name: string, state: BreakerState, ifVersion: number): readonly NoteWrite[] {
  const limit = limitOf(state);
  const tries = state.is === "probing" ? { starts: 1, everyMs: state.waitMs } : undefined;
  return [
    { key: breakerKey(name), value: JSON.stringify(state), ifVersion },
    { key: limitKey(breakerGate(name)), value: limit && JSON.stringify(limit) },
    { key: limitKey(tryGate(name)), value: tries && JSON.stringify(tries) },
  ];
}
