/** It is ready: no worker takes it, for its line is closed to all of them, or they are busy. */
import type { JobRow } from "../engine.ts";
import { breakers } from "./doors/breakers.ts";
import type { Door, FindDoors } from "./doors/door.ts";
import { full } from "./doors/full.ts";
import { hours } from "./doors/hours.ts";
import { lacking } from "./doors/lacking.ts";
import { paused } from "./doors/paused.ts";
import { unknownTask } from "./doors/unknownTask.ts";
import type { KnownTask } from "./known.ts";
import type { Look } from "./look.ts";
import type { Explain } from "./reason.ts";
import { counted } from "./words.ts";

const doors: readonly FindDoors[] = [paused, unknownTask, breakers, hours, full, lacking];

export const forWorker: Explain = async (row, _, look) => {
  const known = await look.known(row.task);
  const closed: Door[] = [];
  for (const find of doors) closed.push(...(await find(row, known, look)));
  if (closed.length === 0)
    return { waits: `for a free worker that serves queue ${row.queue} and knows ${row.task}${ownWords(known)}`, expected: await othersWords(row, look) };
  const opens = closed.flatMap((door) => door.opens ?? []);
  return { waits: `because ${closed.map((door) => door.closed).join(" and ")}`, expected: opens.length === 0 ? undefined : opens.join(", and ") };
};

function ownWords(known: KnownTask | undefined): string {
  const own = Object.keys(known?.own ?? {}).map((name) => `${known?.needs?.[name]} ${name}`);
  return own.length === 0 ? "" : ` and has ${own.join(" and ")}`;
}

async function othersWords({ queue, task }: JobRow, look: Look): Promise<string> {
  const busy = (await look.processes()).filter((process) => process.leaseUntil >= look.now && process.running > 0).length;
  const processes = busy === 0 ? "no process is running a job now" : `${counted(busy, "process is", "processes are")} running jobs now`;
  const ready = (await look.counts())
    .filter((row) => row.queue === queue && row.task === task && row.state === "ready")
    .reduce((sum, row) => sum + row.jobs, 0);
  return ready > 1 ? `${processes}, and ${counted(ready - 1, "other job is", "other jobs are")} ready in its line` : processes;
}
