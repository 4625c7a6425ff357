/**
 * Jobs of several homes. A job is where it came to on its way; in the homes before that one another record stands in for it. What is shown of it is told by the one
 * record that is no stand-in: what it was handed in with it has taken along, but the joins that it is a member of know its stand-ins.
 */
import { pageMax } from "../../core/defaults.ts";
import type { After, At, JobFilter, JobRow } from "../../core/engine.ts";
import type { Instant } from "../../core/runtime.ts";
import { listed, namedRows } from "../find.ts";
import { jobRowOf } from "../jobRow.ts";
import type { ToldByOne } from "../jobRow.ts";
import type { Verbs } from "../verbs.ts";
import { merged, readingOf } from "./merging.ts";
import type { Merged, Reading } from "./merging.ts";

/** A way has fewer stages than there are homes and limits of one job. */
const stagesMax = 128;

/** What is asked of a home. */
export interface Reader {
  readonly verbs: Pick<Verbs, "read">;
}

/** A row, and the home that told it. */
export interface Found {
  readonly home: number;
  readonly row: ToldByOne;
}

export interface JobsQuery {
  readonly where: JobFilter;
  readonly limit: number;
  readonly after?: string;
  readonly newestFirst?: boolean;
  /** Without payloads and what else may be long. */
  readonly isBrief?: boolean;
}

interface StandIn {
  readonly seq: number;
  readonly joins?: readonly string[];
  readonly reports?: ToldByOne["reports"];
}

export class JobRows {
  readonly #homes: readonly Reader[];

  constructor(homes: readonly Reader[]) {
    this.#homes = homes;
  }

  /** By id; a stand-in where it alone is known: its job is between two homes, or is forgotten. At most {@link pageMax}. */
  async byIds(ids: readonly string[], at: At, isBrief = false): Promise<{ readonly found: ReadonlyMap<string, Found>; readonly now: Instant }> {
    const all = new Set(ids.slice(0, pageMax));
    const tolds = await Promise.all(this.#homes.map(({ verbs }) => namedRows((asked) => verbs.read({ ...asked, isBrief }, at), { of: "jobs", ids: [...all] })));
    const found = new Map<string, Found>();
    for (const [home, { rows }] of tolds.entries()) {
      for (const row of rows as readonly ToldByOne[]) {
        if (all.has(row.id) && row.standsFor === undefined && isTellingMore(row, found.get(row.id)?.row)) found.set(row.id, { home, row });
      }
    }
    const complete = await this.#withJoins([...found.values()], at);
    return { found: new Map(complete.map((one) => [one.row.id, one])), now: Math.max(...tolds.map(({ now }) => now)) };
  }

  /** In the order in which the homes stored them; of one instant, by id. */
  async page(query: JobsQuery, at: At): Promise<Merged<Found>> {
    const { where, limit, after, newestFirst = false } = query;
    const before = where.before === undefined ? undefined : await this.#predecessorsOf(where.before, at);
    const sign = newestFirst ? -1 : 1;
    const page = await merged<Found>({
      limit,
      after,
      reads: this.#homes.map((_, home) => (behind, most) => this.#read(home, { ...query, limit: most }, behind, before, at)),
      compare: (one, other) => sign * inOrder(one.row, other.row),
    });
    return { ...page, rows: [...new Map(page.rows.map((one) => [one.row.id, one])).values()] };
  }

  async #read(home: number, query: JobsQuery, behind: string | undefined, before: Before | undefined, at: At): Promise<Reading<Found>> {
    const { after: _, ...asked } = query;
    const where = { ...query.where, ...(before && { predecessors: before.map(({ id }) => id) }) };
    const told = await this.#at(home).read({ of: "jobs", ...asked, where, ...(behind !== undefined && { after: behind }) }, at);
    const reading = readingOf<ToldByOne>(told, query.limit);
    const own = reading.rows.map((row): Found => ({ home, row }));
    if (query.where.join === undefined && query.where.before === undefined) return { ...reading, rows: await this.#withJoins(own, at) };
    const here = told.before === undefined ? undefined : new Set(listed(told.before));
    const kept = (await this.#stoodFor(own, query, at)).flatMap((one, nth) => {
      if (!isMeant(one.row, query.where, before, here)) return [];
      // Its place in the order is that of what was found here.
      return [{ found: { ...one, row: { ...one.row, arrivedAt: orderOf(own[nth]?.row ?? one.row) } }, place: reading.places[nth] ?? "" }];
    });
    return { ...reading, rows: kept.map(({ found }) => found), places: kept.map(({ place }) => place) };
  }

  /** Instead of stand-ins the jobs themselves: of one that lost its unique key, the winner. */
  async #stoodFor(own: readonly Found[], { isBrief }: JobsQuery, at: At): Promise<readonly Found[]> {
    const ids = own.flatMap(({ row }) => (row.isStandIn ? [row.standsFor ?? row.id] : []));
    const { found } = ids.length === 0 ? { found: new Map<string, Found>() } : await this.byIds(ids, at, isBrief);
    const all = own.map((one) => (one.row.isStandIn ? (found.get(one.row.standsFor ?? one.row.id) ?? one) : one));
    return await this.#withJoins(all, at);
  }

  async #predecessorsOf(id: string, at: At): Promise<Before> {
    const job = (await this.byIds([id], at, true)).found.get(id);
    if (job !== undefined) return job.row.after ?? [];
    const joins = await Promise.all(this.#homes.map(({ verbs }) => verbs.read({ of: "joins", ids: [id] }, at)));
    const [join] = joins.flatMap(({ rows }) => listed(rows) as readonly { readonly after?: Before }[]);
    return join?.after ?? [];
  }

  /** The joins that know a stand-in, or one that lost to it, are its own as well. */
  async #withJoins(found: readonly Found[], at: At): Promise<readonly Found[]> {
    const joins = new Map<Found, Set<string>>();
    let open = found.flatMap((one) => (one.row.reports ?? []).map((to) => ({ ...to, one })));
    for (let stage = 0; open.length > 0 && stage < stagesMax; stage += 1) {
      const told = await this.#standIns(open, at);
      open = open.flatMap(({ home, seq, one }) => {
        const standIn = told.get(`${home} ${seq}`);
        const known = joins.get(one) ?? new Set(one.row.joins);
        joins.set(one, known);
        for (const join of standIn?.joins ?? []) known.add(join);
        return (standIn?.reports ?? []).map((to) => ({ ...to, one }));
      });
    }
    return found.map((one) => {
      const known = joins.get(one);
      return known === undefined || known.size === 0 ? one : { ...one, row: { ...one.row, joins: [...known] } };
    });
  }

  async #standIns(asked: readonly { readonly home: number; readonly seq: number }[], at: At): Promise<ReadonlyMap<string, StandIn>> {
    const byHome = Map.groupBy(asked, ({ home }) => home);
    const told = await Promise.all(
      [...byHome].map(async ([home, some]) => {
        const answer = await this.#at(home).read({ of: "standIns", seqs: [...new Set(some.map(({ seq }) => seq))] }, at);
        return (listed(answer.rows) as readonly StandIn[]).map((row): [string, StandIn] => [`${home} ${row.seq}`, row]);
      }),
    );
    return new Map(told.flat());
  }

  #at(home: number): Reader["verbs"] {
    const found = this.#homes[home];
    if (found === undefined) throw new Error(`there is no home ${home}`);
    return found.verbs;
  }
}

/** What somebody asks to see. */
export function shown({ row }: Found): JobRow {
  const { isStandIn: _, standsFor: __, reports: ___, arrivedAt: ____, ...told } = row;
  return jobRowOf(told);
}

type Before = readonly Pick<After, "id">[];

/** A job more than what stands in for it, and that the more the further the job has come. */
function isTellingMore(row: ToldByOne, known: ToldByOne | undefined): boolean {
  if (known === undefined) return true;
  if (known.isStandIn !== row.isStandIn) return known.isStandIn === true;
  return known.isStandIn === true && known.reports === undefined && row.reports !== undefined;
}

/** When its home came to know it: that goes by its clock alone. */
function orderOf(row: ToldByOne): Instant {
  return row.arrivedAt ?? row.enqueuedAt;
}

function inOrder(one: ToldByOne, other: ToldByOne): number {
  const apart = orderOf(one) - orderOf(other);
  if (apart !== 0) return apart;
  return one.id < other.id ? -1 : Number(one.id > other.id);
}

/** What a home cannot tell of a job that went on from there; `here`: which predecessors it has itself. Of several homes that tell of it, that of the first predecessor does. */
function isMeant(row: ToldByOne, where: JobFilter, before: Before | undefined, here: ReadonlySet<string> | undefined): boolean {
  const { states, queue, task, lane, unique, after } = where;
  if (states !== undefined && !states.includes(row.state)) return false;
  if ((queue ?? row.queue) !== row.queue || (task ?? row.task) !== row.task) return false;
  if ((lane !== undefined && lane !== row.lane) || (unique !== undefined && unique !== row.unique)) return false;
  if (after !== undefined && row.after?.some(({ id }) => id === after) !== true) return false;
  if (before === undefined) return true;
  const first = before.find(({ id }) => id === row.id) ?? before.find(({ id }) => row.joins?.includes(id));
  return first !== undefined && (here?.has(first.id) ?? true);
}
