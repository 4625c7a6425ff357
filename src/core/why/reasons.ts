/** Every reason for which a job waits, and what explains it. */
import type { JobRow, Waits } from "../engine.ts";
import { afterOthers } from "./afterOthers.ts";
import { alone } from "./alone.ts";
import { behindKey } from "./behindKey.ts";
import { due } from "./due.ts";
import { keyLimit } from "./keyLimit.ts";
import type { Look } from "./look.ts";
import { notOpened } from "./notOpened.ts";
import { parked } from "./parked.ts";
import type { Explain, Reason } from "./reason.ts";
import { forWorker } from "./worker.ts";

const reasons: Readonly<Record<Waits["reason"], Explain>> = {
  time: due,
  retry: due,
  snooze: due,
  key: behindKey,
  limit: keyLimit,
  parked,
  join: notOpened,
  after: afterOthers,
  alone,
  worker: forWorker,
};

export async function reasonOf(row: JobRow, look: Look): Promise<Reason> {
  const { waits } = row;
  return waits === undefined ? { waits: "for a worker" } : reasons[waits.reason](row, waits, look);
}
