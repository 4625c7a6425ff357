/** Its key stands still, for a job of it died: a person decides. */
import { pageSize } from "../defaults.ts";
import type { Explain } from "./reason.ts";

export const parked: Explain = async ({ reason, lane = "" }, _, look) => {
  if (reason !== undefined) return { waits: `to be redriven: it died (${reason}), and its key ${lane} waits with it` };
  const died = (await look.jobs({ lane, states: ["parked"] }, pageSize)).find((row) => row.reason !== undefined);
  if (died === undefined) return { waits: `to be redriven: its key ${lane} is parked` };
  return { waits: `parked behind job ${died.id}, which died (${died.reason}), in its key ${lane}`, expected: `it goes on when that one is retried` };
};
