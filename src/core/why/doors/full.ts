/** A limit over all jobs of its task has no room. */
import { inWords } from "../../duration.ts";
import type { GateRow } from "../../engine.ts";
import { limitKey, type StoredLimit } from "../../notes.ts";
import type { Look } from "../look.ts";
import { inWordsAt } from "../words.ts";
import type { Door, FindDoors } from "./door.ts";

export const full: FindDoors = async (_, known, look) => {
  const gates = (await look.gates(known?.gates ?? [])).filter(({ kind, used, most }) => kind === "limit" && most !== undefined && used >= most);
  const closed: Door[] = [];
  for (const gate of gates) closed.push(doorOf(gate, await look.note<StoredLimit>(limitKey(gate.name)), look));
  return closed;
};

function doorOf({ used, most = 0, freeAt }: GateRow, limit: StoredLimit | undefined, { now }: Look): Door {
  const numbers = `${used.toLocaleString("en-US")} of ${most.toLocaleString("en-US")}`;
  if (limit === undefined || "running" in limit)
    return { closed: `as many of its task run as may: ${numbers}`, opens: "there is room when one of them has ended" };
  return {
    closed: `as many of its task as may in ${inWords(limit.everyMs)} have started: ${numbers}`,
    ...(freeAt !== undefined && { opens: `the next has room ${inWordsAt(freeAt, now)}` }),
  };
}
