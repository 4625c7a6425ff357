/** Reads out what the store has in the end: every job, page by page, and what it counts. */
import type { Broker, JobView } from "../index.ts";
import type { JobKind, Line } from "./history.ts";

const pageSize = 1_000;
const taskPrefix = "verify-";

export async function audit(work: Broker, take: (line: Line) => void): Promise<void> {
  let after: string | undefined;
  do {
    const page = await work.list({}, { limit: pageSize, ...(after !== undefined && { after }) });
    for (const job of page.jobs) take(lineOf(job));
    after = page.next;
  } while (after !== undefined);
  for (const [state, jobs] of Object.entries(await work.count())) take({ is: "count", state, jobs });
}

function lineOf(job: JobView): Line {
  const { id, state, starts, attempts, isPoison, slotAt, reason } = job;
  return {
    is: "job",
    id,
    ...namesOf(job),
    state,
    starts,
    attempts,
    isPoison,
    crashes: job.history.filter((row) => row.is === "crashed").length,
    enqueuedAt: job.enqueuedAt.getTime(),
    ...(slotAt !== undefined && { slotAt: slotAt.getTime() }),
    ...(reason !== undefined && { reason }),
  };
}

/** As its runs call themselves. */
function namesOf({ id, task, input, slotAt }: JobView): { readonly kind: JobKind; readonly n: string } {
  const { n = id, role = "", schedule = "" } = input as { readonly n?: string; readonly role?: string; readonly schedule?: string };
  const [kind = "", which = ""] = task.slice(taskPrefix.length).split("-");
  if (kind === "hop") return { kind, n: `${n}/${which}` };
  if (kind === "callback") return { kind, n: `${n}/${role}` };
  if (kind === "slot") return { kind, n: `${schedule}/${slotAt?.getTime()}` };
  return { kind: kind as JobKind, n };
}
