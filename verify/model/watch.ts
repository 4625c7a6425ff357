/** What must hold over a whole run, whatever the model says: nobody overruns a limit, and what was let go is never held again. */
import type { JobRow, KeyLimit } from "../../src/core/engine.ts";
import { endedAs } from "../../src/core/joining.ts";
import type { Instant } from "../../src/core/runtime.ts";
import { isEnded } from "../../src/core/states.ts";
import { must } from "./divergence.ts";
import { keyLimitMost } from "./plans.ts";
import type { View } from "./view.ts";

interface Start {
  readonly run: string;
  readonly limit: KeyLimit;
  readonly at: Instant;
}

export class Watch {
  #starts: Start[] = [];
  readonly #letGo = new Set<string>();

  /** After each step; `isAtRest`: after tidy, when nothing is left to do. */
  check(before: View, after: View, isAtRest: boolean): void {
    // An id that was forgotten may be another job's.
    for (const id of this.#letGo) if (!after.byId.has(id)) this.#letGo.delete(id);
    for (const job of after.jobs) this.#checkLetGo(job, before, after);
    for (const join of after.joins) checkJoin(join.id, before, after);
    this.#followStarts(before, after);
    this.#checkLimits(after);
    if (isAtRest) for (const job of after.jobs) checkWaits(job, after);
  }

  /** Once: what it comes after has ended then, and it is never held again. */
  #checkLetGo(job: JobRow, before: View, after: View): void {
    const isHeld = job.state === "blocked" && (job.waits?.reason === "after" || job.waits?.reason === "join");
    if (isHeld) return must(!this.#letGo.has(job.id), `job ${job.id} was let go, and waits again for ${job.waits?.on}`);
    if (this.#letGo.has(job.id)) return;
    this.#letGo.add(job.id);
    if (isEnded(job.state)) return;
    for (const { id, when } of job.after ?? []) {
      const ended = [endingOf(before, id), endingOf(after, id)];
      must(
        ended.includes("gone") || ended.some((as) => as !== undefined && (when === "ended" || as === when)),
        `job ${job.id} was let go, but ${id} has not ended ${when}`,
      );
    }
  }

  /** A run is a claim of a job; one that is released gives its start back. */
  #followStarts(before: View, after: View): void {
    for (const job of after.jobs) {
      const was = before.byId.get(job.id);
      const isReleased = was?.claim !== undefined && job.claim?.claim !== was.claim.claim && job.starts < was.starts + (job.claim ? 1 : 0);
      if (isReleased) this.#starts = this.#starts.filter((start) => start.run !== `${job.id} ${was.claim?.claim}`);
      const run = `${job.id} ${job.claim?.claim}`;
      if (job.claim === undefined || this.#starts.some((start) => start.run === run)) continue;
      for (const limit of job.keyLimits ?? []) this.#starts.push({ run, limit, at: job.claim.startedAt });
    }
  }

  #checkLimits(view: View): void {
    const running = view.jobs.filter((job) => job.state === "running").flatMap((job) => job.keyLimits ?? []);
    for (const { key, is } of running) {
      if (!("running" in is) || keyLimitMost(key) === 0) continue;
      const count = running.filter((limit) => limit.key === key).length;
      must(count <= keyLimitMost(key), `${count} jobs run under key limit ${key}`);
    }
    for (const { limit, at } of this.#starts) {
      if (!("starts" in limit.is)) continue;
      const { everyMs } = limit.is;
      const within = this.#starts.filter((start) => start.limit.key === limit.key && start.at <= at && start.at > at - everyMs).length;
      must(within <= keyLimitMost(limit.key), `${within} starts under key limit ${limit.key} within ${everyMs} ms`);
    }
  }
}

function endingOf(view: View, id: string): "well" | "badly" | "gone" | undefined {
  const job = view.byId.get(id);
  const join = view.joins.find((one) => one.id === id);
  if (job !== undefined) return endedAs(job.state);
  if (join === undefined) return "gone";
  if (join.state !== "closed") return undefined;
  if (join.isCancelled) return "badly";
  // One whose own predecessors ended otherwise ends as they say, whatever its members did.
  if (join.after !== undefined) return "gone";
  return join.failed > 0 ? "badly" : "well";
}

/** Its counts add up, and stand once it has closed. */
function checkJoin(id: string, before: View, after: View): void {
  const row = after.joins.find((join) => join.id === id);
  const was = before.joins.find((join) => join.id === id);
  if (row === undefined) return;
  must(row.members === row.live + row.succeeded + row.failed, `join ${id}: ${row.live} live, ${row.succeeded} and ${row.failed} of ${row.members}`);
  must(row.state !== "closed" || row.live === 0, `join ${id} has closed with ${row.live} live members`);
  must(
    was?.state !== "closed" || (row.state === "closed" && row.failed === was.failed && row.succeeded === was.succeeded),
    `join ${id} has closed and changed`,
  );
}

/** At rest nobody waits for what has ended. */
function checkWaits({ id, state, waits, joins }: JobRow, view: View): void {
  if (state !== "blocked" || waits === undefined) return;
  if (waits.reason === "after") must(endingOf(view, waits.on) === undefined, `job ${id} waits for ${waits.on}, which has ended`);
  const join = view.joins.find((one) => one.id === waits.on);
  if (waits.reason === "join")
    must(join !== undefined && join.state !== "closed" && joins?.[0] === waits.on, `job ${id} waits for join ${waits.on}, which is ${join?.state}`);
}
