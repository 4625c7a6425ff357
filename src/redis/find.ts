/** Reads a page. */
import { pageMax } from "../core/defaults.ts";
import type { JobFilter, LockRow, Page, Query } from "../core/engine.ts";
import type { Instant } from "../core/runtime.ts";
import { fragment, script } from "./fragment.ts";
import type { Fragment, Main } from "./fragment.ts";
import { jobRowOf } from "./jobRow.ts";
import type { ToldJobRow } from "./jobRow.ts";

/** How many scripts read one page. The page may be short then, with a `next`. */
const readsMax = 20;
/** What one script answers of long rows. */
const bytesMax = 8 * 1_024 * 1_024;
const jobsAtOnce = 100;
const eventsAtOnce = 100;

/** A list of places, of rows that stand there, and where to go on where there may be more than was read. */
export const findFragment: Fragment = fragment(
  "find",
  String.raw`
-- Of pairs of a place and a row.
local function told(pairs, goOn)
  local places, rows = {}, {}
  for at, pair in ipairs(pairs) do places[at], rows[at] = tostring(pair[1]), pair[2] end
  return { places = places, rows = rows, goOn = goOn and tostring(goOn) }
end

local function load_jobs(ids, from)
  local seqs = {}
  for at = from, math.min(from + ${jobsAtOnce - 1}, #ids) do seqs[#seqs + 1] = U.job.seq_of(ids[at]) end
  U.job.load(seqs)
end

-- isBrief: without what may be long.
local function job_row(job, query)
  local row = U.jobRow.job_row(job)
  if query.isBrief then row.payload, row.checkpoint, row.result, row.history = '', nil, nil, nil end
  return row
end

-- Where there are several homes, also what stands in for a job that went on from here.
local function jobs_with_ids(query)
  local ids, rows, bytes = query.ids, {}, 0
  U.job.load_ids(ids)
  for at, id in ipairs(ids) do
    if at % ${jobsAtOnce} == 1 then load_jobs(ids, at) end
    for _, job in ipairs(U.filter.jobs_of(id)) do
      rows[#rows + 1] = job_row(job, query)
      bytes = bytes + #job.payload + #(job.checkpoint or '')
    end
    if bytes > ${bytesMax} and at < #ids then return { rows = rows, goOn = tostring(at) } end
  end
  return { rows = rows }
end

local function jobs_where(query)
  local found, goOn = U.filter.walk(query.where, tonumber(query.after), query.newestFirst or false, query.limit)
  for at, job in ipairs(found) do found[at] = { job.seq, job_row(job, query) } end
  local answer = told(found, goOn)
  if S.meta.homes > 1 and query.where.before then answer.before = U.filter.predecessors_of(query.where) end
  return answer
end

local function event_row(event)
  return { id = event.id, name = event.name, payload = event.payload, publishedAt = event.publishedAt, orderedBy = event.orderedBy }
end

local function events(query)
  local found, bytes, after = {}, 0, tonumber(query.after) or 0
  while #found < query.limit do
    local asked = math.min(${eventsAtOnce}, query.limit - #found)
    local some = U.events.after(after, query.name, asked)
    for _, event in ipairs(some) do
      found[#found + 1] = { event.seq, event_row(event) }
      bytes, after = bytes + #event.payload, event.seq
    end
    if #some < asked then return told(found) end
    if bytes > ${bytesMax} then break end
  end
  return told(found, after)
end

local function notes(query)
  local found = U.notes.starting_with(query.prefix, query.after, query.limit)
  for at, note in ipairs(found) do found[at] = { note.key, note } end
  return told(found)
end

local readers = {
  events = events,
  notes = notes,
  gates = function(query) return { rows = U.gateRow.gate_rows(query.names) } end,
  processes = function(query) return told(U.processes.known_after(query.after, query.limit)) end,
  lanes = function(query) return told(U.lanes.closed_after(query.after, query.limit)) end,
  locks = function(query) return told(U.locks.tickets_after(query.after, query.limit)) end,
  jobs = function(query) return query.ids and jobs_with_ids(query) or jobs_where(query) end,
  standIns = function(query) return { rows = U.jobRow.stand_ins(query.seqs) } end,
  joinTree = function(query) return { rows = U.joinTree.ids_of(query.id) } end,
  joins = function(query) return query.ids and { rows = U.joinRow.joins_by_ids(query.ids) } or told(U.joinRow.joins_within(query, query.limit)) end,
}

function M.read(query)
  local answer = readers[query.of](query)
  answer.now = S.now
  return answer
end
`,
);

export const findScript: Main = script("find", String.raw`return finish(U.find.read(cjson.decode(ARGV[2])))`);

/** An empty list of Lua is an object. */
type Listed<T> = readonly T[] | object;

export interface Told {
  readonly now: Instant;
  readonly rows: Listed<unknown>;
  readonly places?: Listed<string>;
  readonly goOn?: string;
  /** Of the predecessors that were asked for, those that are here. */
  readonly before?: Listed<string>;
}

export type Paged = Extract<Query, { limit: number }>;
export type Named = Exclude<Query, Paged>;

/** What {@link findScript} is asked. isBrief: jobs without what may be long. predecessors: the ids that `before` means. standIns: by their numbers (spread/jobRows.ts). joinTree: the ids of a join and those within it. */
export type Asked =
  | (Query & { readonly isBrief?: boolean; readonly where?: JobFilter & { readonly predecessors?: readonly string[] } })
  | { readonly of: "standIns"; readonly seqs: readonly number[] }
  | { readonly of: "joinTree"; readonly id: string };

/** Runs {@link findScript} with a query as its request, until the page is full or there is no more. */
export async function findPages<Q extends Query>(run: (query: Query) => Promise<Told>, query: Q): Promise<Page<Q>> {
  return (await ("limit" in query ? pageOf(run, query) : named(run, query))) as Page as Page<Q>;
}

/** One more than asked for is read: then there is a next page. */
async function pageOf(run: (query: Query) => Promise<Told>, query: Paged): Promise<Page> {
  const limit = Math.min(query.limit, pageMax);
  const rows: unknown[] = [];
  const places: string[] = [];
  let told = await run({ ...query, limit: limit + 1 });
  for (let reads = 1; ; reads += 1) {
    rows.push(...listed(told.rows));
    places.push(...listed(told.places ?? []));
    if (told.goOn === undefined || rows.length > limit || reads === readsMax) break;
    told = await run({ ...query, limit: limit + 1 - rows.length, after: told.goOn });
  }
  const next = rows.length > limit ? places[limit - 1] : told.goOn;
  return { rows: rowsOf(query.of, rows.slice(0, limit)), now: told.now, ...(next !== undefined && { next }) };
}

async function named(run: (query: Query) => Promise<Told>, query: Named): Promise<Page> {
  const { rows, now } = await namedRows(run, query);
  return { rows: rowsOf(query.of, rows), now };
}

/** As the script tells them. */
export async function namedRows(run: (query: Named) => Promise<Told>, query: Named): Promise<{ readonly rows: readonly unknown[]; readonly now: Instant }> {
  const all = ("ids" in query ? query.ids : query.names).slice(0, pageMax);
  let told = await run(withNames(query, all));
  const rows = [...listed(told.rows)];
  for (let at = Number(told.goOn ?? all.length); at < all.length; at += Number(told.goOn ?? all.length)) {
    told = await run(withNames(query, all.slice(at)));
    rows.push(...listed(told.rows));
  }
  return { rows, now: told.now };
}

function withNames(query: Named, names: readonly string[]): Named {
  return "ids" in query ? { ...query, ids: names } : { ...query, names };
}

function rowsOf(of: Query["of"], rows: readonly unknown[]): Page["rows"] {
  return rows.map((row) => rowOf(of, row));
}

export function rowOf(of: Query["of"], row: unknown): Page["rows"][number] {
  if (of === "jobs") return jobRowOf(row as ToldJobRow);
  if (of === "locks") return { ...(row as LockRow), fence: Number((row as LockRow).fence) };
  return row as Page["rows"][number];
}

export function listed<T>(list: Listed<T>): readonly T[] {
  return Array.isArray(list) ? (list as readonly T[]) : [];
}
