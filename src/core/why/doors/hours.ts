/** Its jobs start at certain hours only. */
import { isOpen, opensAt } from "../../limits/hours.ts";
import { inWordsAt } from "../words.ts";
import type { FindDoors } from "./door.ts";

export const hours: FindDoors = (_, known, { now }) => {
  const windows = known?.hours;
  if (windows === undefined || isOpen(windows, now)) return Promise.resolve([]);
  const told = windows.map(({ open, zone }) => `${open} ${zone}`).join(", ");
  const next = opensAt(windows, now);
  return Promise.resolve([{ closed: `its hours are ${told}`, ...(next !== undefined && { opens: `they begin ${inWordsAt(next, now)}` }) }]);
};
