/** `errand schedules backfill`. */
import { realRuntime } from "../runtime/real.ts";
import type { Arguments } from "./arguments.ts";
import { inZone } from "./instants.ts";
import { paint, remark, say } from "./output.ts";
import { plainJson } from "./plain.ts";
import type { OpenStore } from "./store.ts";

/** 3: nothing was to be enqueued. */
export async function backfillSchedule(
  { work }: OpenStore,
  given: Arguments,
  name: string,
  { from, to = new Date(realRuntime().now()) }: { readonly from: Date; readonly to: Date | undefined },
): Promise<number> {
  const { zone } = await work.schedule(name).view();
  const isDryRun = given.has("dry-run");
  const filled = await work.schedule(name).backfill(from, to, { dryRun: isDryRun });
  const { slots, enqueued, known } = filled;
  const span = `from ${inZone(from, zone)} to ${inZone(to, zone)}`;
  if (given.has("json")) say(plainJson({ schedule: name, from, to, isDryRun, ...filled }));
  else if (slots === 0) remark(`${name} has no slot ${span}`);
  else if (isDryRun) say(`${paint("yellow", `would enqueue ${counted(enqueued)}`)} ${span}${knownWords(known)}; nothing was changed`);
  else say(`${counted(enqueued)} ${span} ${enqueued === 1 ? "was" : "were"} enqueued${knownWords(known)}`);
  return enqueued === 0 ? 3 : 0;
}

function counted(slots: number): string {
  return `${slots.toLocaleString("en-US")} ${slots === 1 ? "slot" : "slots"}`;
}

function knownWords(known: number): string {
  return known === 0 ? "" : `, ${known.toLocaleString("en-US")} had a job already`;
}
