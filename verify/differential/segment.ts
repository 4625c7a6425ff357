/** A segment of a stream: chapters of random commands on one set of stores, each with a theme of its own, and swept at its end so that little is stored. */
import fc from "fast-check";
import { commandLists } from "../model/arbitraries.ts";
import type { Command } from "../model/commands.ts";

const sweep: readonly Command[] = [
  { do: "cancel", which: {}, isHeard: true },
  { do: "passDays" },
  { do: "retry", which: { states: ["parked"] } },
  { do: "cancel", which: {} },
  { do: "passDays" },
];

export function segmentOf(seed: number, chapters: number, commandsMax: number): readonly Command[] {
  return fc.sample(commandLists(commandsMax), { seed, numRuns: chapters }).flatMap((commands) => [...commands.map(wholePasses), ...sweep]);
}

/** Which of many a small pass takes first is an engine's own. */
function wholePasses(command: Command): Command {
  return command.do === "tidy" ? { ...command, items: 1_000 } : command;
}
