/** Cancels a batch or chain as a whole. */
import { changeMax } from "../defaults.ts";
import type { At, Changed, Engine } from "../engine.ts";

/** 100,000 members, and as many again that were added meanwhile. What is left then, the store cancels by itself. */
const passesMax = 200;

/**
 * cancelled: no member runs. cancelling: some do; their signals fire within a heartbeat. ended: it had ended before. unknown: there is none of that id.
 * From the first pass on no member of it starts.
 */
export async function cancelBatch(engine: Engine, at: () => At, id: string, reason: string): Promise<"cancelled" | "cancelling" | "ended" | "unknown"> {
  const [row] = (await engine.find({ of: "joins", ids: [id] }, at())).rows;
  if (row === undefined) return "unknown";
  if (row.state === "closed") return "ended";
  // Who asks again is told of those that were signalled before, and still run.
  let isRunning = row.isCancelled && row.live > 0;
  for (let pass = 0; pass < passesMax; pass++) {
    const { jobs, hasMore }: Changed = await engine.change({ join: id }, { do: "cancel", reason }, changeMax, at());
    isRunning ||= jobs.some((job) => job.is === "cancelling");
    if (!hasMore || !jobs.some((job) => job.is === "cancelled")) break;
  }
  return isRunning ? "cancelling" : "cancelled";
}
