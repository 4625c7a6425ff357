/**
 * Changes jobs over all homes. A job is changed where it is; what it was in other homes hears of that by mail. One that is redriven begins where it began.
 * What a filter or a join means is found first, a page at a time, and changed where it is still meant then.
 */
import { changeMax, pageMax } from "../../core/defaults.ts";
import type { At, Change, Changed, ChangedJob, JobFilter, Selection } from "../../core/engine.ts";
import { isEnded } from "../../core/states.ts";
import { changeableOf, wellFormed } from "../change.ts";
import type { ChangeRequest, ToldChangedJob } from "../change.ts";
import { listed } from "../find.ts";
import type { ToldByOne } from "../jobRow.ts";
import type { Verbs } from "../verbs.ts";
import { JobRows } from "./jobRows.ts";
import type { Found, JobsQuery } from "./jobRows.ts";
import { failureOf } from "./parted.ts";

/** How many pages one change looks at. */
const pagesMax = 1_000;

/** What is asked of a home. */
export interface Changer {
  readonly verbs: Pick<Verbs, "read" | "changeSome">;
}

/** What says that a job was changed: all else is left out where it was not asked for by its id. */
const done: readonly ChangedJob["is"][] = ["cancelled", "cancelling", "retried", "prioritised", "deleted"];

export async function changeOver(homes: readonly Changer[], which: Selection, change: Change, limit: number, at: At<unknown>): Promise<Changed> {
  const changing = new Changing(homes, wellFormed(change), Math.min(limit, changeMax), at);
  if ("ids" in which) return await changing.ids(which.ids);
  return "join" in which ? await changing.join(which.join) : await changing.jobs(which.jobs);
}

class Changing {
  readonly #homes: readonly Changer[];
  readonly #rows: JobRows;
  readonly #asked: Change;
  readonly #limit: number;
  readonly #at: At;
  readonly #changed: ChangedJob[] = [];

  constructor(homes: readonly Changer[], asked: Change, limit: number, { now }: At<unknown>) {
    this.#homes = homes;
    this.#rows = new JobRows(homes);
    this.#asked = asked;
    this.#limit = limit;
    this.#at = now === undefined ? {} : { now };
  }

  async ids(ids: readonly string[]): Promise<Changed> {
    const most = ids.slice(0, this.#limit);
    const answers = await this.#ask(this.#homes, { ids: most, isHere: true });
    // Between two homes, or forgotten where it ended: what stands in for it passes the change on.
    const unknown = most.filter((id) => !answers.has(id));
    const rest = unknown.length === 0 ? answers : new Map([...(await this.#ask(this.#homes, { ids: unknown })), ...answers]);
    return { jobs: most.map((id) => ({ id, is: rest.get(id) ?? "unknown" })), hasMore: ids.length > most.length };
  }

  async jobs(where: JobFilter): Promise<Changed> {
    const hasMore = await this.#pages({ ...where, states: changeableOf(where, this.#asked) }, () => true);
    return { jobs: this.#changed, hasMore };
  }

  /** Join by join; a member of several with the first of them. */
  async join(id: string): Promise<Changed> {
    const isCancelling = this.#asked.do === "cancel";
    if (isCancelling) await this.#everywhere((home) => home.changeSome({ asked: this.#asked, limit: 0, join: id, isDone: false }, this.#at));
    const tree = (await this.#everywhere((home) => home.read({ of: "joinTree", id }, this.#at))).flatMap(({ rows }) => listed(rows) as readonly string[]);
    const earlier = new Set<string>();
    let hasMore = false;
    for (const join of tree) {
      hasMore = await this.#pages({ join, states: changeableOf({}, this.#asked) }, ({ joins = [] }) => !joins.some((one) => earlier.has(one)));
      if (hasMore) break;
      earlier.add(join);
    }
    if (isCancelling && !hasMore) await this.#everywhere((home) => home.changeSome({ asked: this.#asked, limit: 0, join: id, isDone: true }, this.#at));
    return { jobs: this.#changed, hasMore };
  }

  /** Answers whether there may be more than the limit. */
  async #pages(where: JobFilter, isMeant: (row: ToldByOne) => boolean): Promise<boolean> {
    let after: string | undefined;
    for (let pages = 0; pages < pagesMax; pages += 1) {
      const left = this.#limit - this.#changed.length;
      const query: JobsQuery = { where, limit: Math.min(left + 1, pageMax), isBrief: true, ...(after !== undefined && { after }) };
      const page = await this.#rows.page(query, this.#at);
      const wanted = page.rows.filter(({ row }) => isMeant(row) && isChanged(row, this.#asked));
      await this.#change(wanted.slice(0, left), where);
      if (wanted.length > left) return true;
      if (page.next === undefined) return false;
      after = page.next;
    }
    return true;
  }

  /** Where they are, or what stands in for them while they are between two homes; in the order in which they were found. */
  async #change(found: readonly Found[], where: JobFilter): Promise<void> {
    // Only homes that have them know what they belong to.
    const { join: _, before: __, after: ___, ...jobs } = where;
    const parts = this.#homes.flatMap((changer, home) =>
      [true, false].map((isHere) => {
        const ids = found.filter((one) => one.home === home && (one.row.isStandIn === true) !== isHere).map(({ row }) => row.id);
        return { changer, meant: isHere ? { ids, isHere, jobs } : { ids } };
      }),
    );
    const asked = parts.filter(({ meant }) => meant.ids.length > 0);
    const answers = await this.#parts(asked, ({ changer, meant }) => this.#ask([changer], meant));
    const all = new Map(answers.flatMap((answer) => [...answer]));
    for (const { row } of found) {
      const is = all.get(row.id);
      if (is !== undefined && done.includes(is)) this.#changed.push({ id: row.id, is });
    }
  }

  /** Of those that some home knows. */
  async #ask(
    homes: readonly Changer[],
    meant: Pick<Extract<ChangeRequest, { ids: unknown }>, "ids" | "isHere" | "jobs">,
  ): Promise<Map<string, ChangedJob["is"]>> {
    const tolds = await this.#parts(homes, ({ verbs }) => verbs.changeSome({ asked: this.#asked, limit: meant.ids.length, ...meant }, this.#at));
    const answers = new Map<string, ChangedJob["is"]>();
    const redriven: string[] = [];
    for (const job of tolds.flatMap((told) => ("jobs" in told ? (listed(told.jobs) as readonly ToldChangedJob[]) : []))) {
      if (job.is === "unknown") continue;
      answers.set(job.id, job.is);
      if (job.is === "retried" && job.cameFrom === true) redriven.push(job.id);
    }
    await this.#seeTaken(redriven, answers);
    return answers;
  }

  /** Whether its unique key is held, another home decides: then it is dead as it was. */
  async #seeTaken(redriven: readonly string[], answers: Map<string, ChangedJob["is"]>): Promise<void> {
    if (redriven.length === 0) return;
    const { found } = await this.#rows.byIds(redriven, this.#at, true);
    for (const id of redriven) if (found.get(id)?.row.state === "dead") answers.set(id, "taken");
  }

  #everywhere<T>(ask: (home: Changer["verbs"]) => Promise<T>): Promise<readonly T[]> {
    return this.#parts(this.#homes, ({ verbs }) => ask(verbs));
  }

  async #parts<P, T>(parts: readonly P[], ask: (part: P) => Promise<T>): Promise<readonly T[]> {
    const ends = await Promise.allSettled(parts.map(ask));
    const failed = ends.flatMap((end) => (end.status === "rejected" ? [end.reason as unknown] : []));
    if (failed.length > 0) throw failureOf(failed, failed.length < parts.length || this.#changed.length > 0);
    return ends.flatMap((end) => (end.status === "fulfilled" ? [end.value] : []));
  }
}

/** Those that it does nothing to are not selected, so that calling again goes on and comes to an end. */
function isChanged({ state, claim, headStartMs, urgency, dueAt }: ToldByOne, asked: Change): boolean {
  if (asked.do === "cancel") return !isEnded(state) && claim?.isCancelling !== true;
  if (asked.do === "prioritise") return headStartMs !== asked.headStartMs || urgency !== dueAt - asked.headStartMs;
  return true;
}
