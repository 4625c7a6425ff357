/** Whether a server is fit to hold a store, and whether what lies under errand's keys is errand's; its making, where there is nothing yet. Several processes may begin at once. */
import { ErrandError } from "../core/errors.ts";
import type { Connection } from "./client.ts";
import { eraLua, format } from "./era.ts";
import { failureOf } from "./failure.ts";
import type { Script } from "./fragment.ts";
import { infoOf } from "./info.ts";
import type { Info } from "./info.ts";
import { keyTypes } from "./keyTypes.ts";
import { rehearseLua } from "./permissions.ts";

export interface Begun {
  readonly era: string;
  /** How many homes the store has. */
  readonly homes: number;
  readonly is: "made" | "found" | "another era";
  /** Another database of this server that holds keys of this name: the wrong one may have been named. */
  readonly elsewhere: string | undefined;
  readonly info: Info;
}

type Session = Pick<Connection, "name" | "ask" | "run">;

export const versionMin = [6, 2] as const;
const databasesMax = 64;

/**
 * Sees KEYS[1], what all keys begin with; as arguments which home this is, and of how many it shall be one (nothing: as many as stand there; "?": the same, and where nothing
 * does, that is told), and each key that always has the same name, and its type. Writes nothing where something is not right.
 */
const openScript: Script = {
  name: "open",
  text: String.raw`
local K, call = KEYS[1], redis.call
${eraLua}
${rehearseLua}
local function refuse(...) return { 'refused', ... } end

-- No key of errand's. A cluster that moves the slot lets a script through where the key it names is, and others may be elsewhere.
local own = call('TYPE', K).ok
if own ~= 'none' then return refuse('foreign', K, own) end
local kind = call('TYPE', K .. ':m').ok
if kind ~= 'none' and kind ~= 'hash' then return refuse('foreign', K .. ':m', kind) end
local isThere = kind == 'hash'
if isThere then
  local version = tonumber(call('HGET', K .. ':m', 'format') or '')
  if version == nil then return refuse('foreign', K .. ':m', kind) end
  if version ~= ${format} then return refuse('version', tostring(version)) end
end
local home, asked, isLooking = ARGV[1], ARGV[2], ARGV[2] == '?'
if isLooking then asked = '' end
local stands = call('HMGET', K .. ':m', 'homes', 'home')
if isThere and asked ~= '' and asked ~= (stands[1] or '1') then return refuse('homes', stands[1] or '1', asked) end
for at = 3, #ARGV, 2 do
  local is = call('TYPE', K .. ':' .. ARGV[at]).ok
  if is ~= 'none' and is ~= ARGV[at + 1] then return refuse('foreign', K .. ':' .. ARGV[at], is) end
  if is ~= 'none' and not isThere then return refuse('beheaded', K .. ':' .. ARGV[at]) end
end

if isLooking and not isThere then return { 'missing' } end

local refused = rehearse()
if refused then return refuse('denied', refused[1], refused[2]) end

local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local meta = call('HMGET', K .. ':m', 'fence', 'now')
local fence, clock = tonumber(meta[1]) or 0, tonumber(meta[2]) or 0
-- Their number is settled when the first home is made; the others are made by whoever finds them missing.
if not isThere and tonumber(asked) and tonumber(asked) > 1 then call('HSET', K .. ':m', 'homes', asked, 'home', home) end
local above
if isThere then above = judge_era(history(), fence, clock, math.max(now, clock)) else above = begin_era(history(), 0, 0, now) end
if above then call('HSET', K .. ':m', 'fence', string.format('%.0f', above)) end
local found = call('HMGET', K .. ':m', 'era', 'homes')
return { 'begun', found[1], not isThere and 'made' or above and 'another era' or 'found', found[2] or '1' }
`,
};

/** Writes nothing. Only other databases: this one is where it was looked for. */
const elsewhereScript: Script = {
  name: "elsewhere",
  text: String.raw`
for _, database in ipairs(ARGV) do
  local isSelected = redis.pcall('SELECT', database)
  if isSelected.ok and redis.call('EXISTS', KEYS[1] .. ':m') == 1 then return database end
end
return ''
`,
};

/** Which home a connection is to, and how many there shall be; undefined: as many as stand there, one where nothing does. */
export interface Opening {
  readonly number: number;
  readonly homes: number | undefined;
  /** Asked where that is undefined and nothing stands there: as many as its others know of. */
  readonly look?: ((session: Pick<Connection, "ask">) => Promise<number | undefined>) | undefined;
}

/** With each new connection: by then another server may be there. Throws `store-unsafe`, `store-readonly`, `store-foreign`, `store-newer`, `option-invalid`. */
export async function openStore(session: Session, home: string, { number, homes, look }: Opening = { number: 0, homes: undefined }): Promise<Begun> {
  const info = await infoIn(session);
  refuseUnfit(info, session.name);
  const begin = async (asked: string): Promise<readonly string[]> =>
    (await session.run(openScript, home, [String(number), asked, ...Object.entries(keyTypes).flat()])) as readonly string[];
  const first = await begin(String(homes ?? (look === undefined ? "" : "?")));
  const [is, ...rest] = first[0] === "missing" ? await begin(String((await look?.(session)) ?? "")) : first;
  if (is !== "begun") throw refused(rest, session.name);
  const [era = "", how = "found", count = "1"] = rest;
  return { era, homes: Number(count), is: how as Begun["is"], elsewhere: how === "made" ? await elsewhereIn(session, home, info) : undefined, info };
}

/** Empty where this user may not read it; then the server is taken for fit. */
async function infoIn(session: Session): Promise<Info> {
  try {
    return infoOf(await session.ask("info"));
  } catch (error) {
    if (!ErrandError.is(error) || error.details["answer"] !== "NOPERM") throw error;
    return {};
  }
}

function refuseUnfit(info: Info, name: string): void {
  const version = (info["redis_version"] ?? "").split(".").map(Number);
  const [major = versionMin[0], minor = versionMin[1]] = version.length < 2 ? [] : version;
  if (major < versionMin[0] || (major === versionMin[0] && minor < versionMin[1])) {
    throw new ErrandError("store-unsafe", `${name}: the server is Redis ${info["redis_version"]}; errand needs 6.2 or later, or Valkey: upgrade it`);
  }
  if (info["role"] === "slave") {
    const primary = info["master_host"] === undefined ? "the primary" : `the primary, ${info["master_host"]}:${info["master_port"]}`;
    throw new ErrandError("store-readonly", `${name}: the server is a replica, which cannot be written; connect to ${primary}, or let a Sentinel lead there`);
  }
  refuseEvicting(info, name);
}

/** Throws `store-unsafe`. */
export function refuseEvicting(info: Info, name: string): void {
  const policy = info["maxmemory_policy"];
  if (policy === undefined || policy === "noeviction") return;
  throw new ErrandError(
    "store-unsafe",
    `${name}: the server's maxmemory-policy is ${policy}: when memory is short it throws keys away, and jobs with them; CONFIG SET maxmemory-policy noeviction, also in redis.conf, or use a server of errand's own`,
    { details: { store: name, policy } },
  );
}

function refused([why = "", what = "", type = ""]: readonly string[], name: string): ErrandError {
  const details = { store: name, key: what };
  switch (why) {
    case "homes":
      return new ErrandError(
        "option-invalid",
        `${name}: the store has ${partitions(what)}, and was opened as one of ${type}; how many there are is settled when it is made: leave { partitions } out to take what stands there, or choose another prefix, { prefix: "…" }`,
        { details: { store: name, partitions: Number(what), asked: Number(type) } },
      );
    case "version": {
      if (Number(what) > format) {
        return new ErrandError("store-newer", `${name}: the keys were written by a newer errand (format ${what}, known here: ${format}); update errand`, {
          details,
        });
      }
      return new ErrandError("store-foreign", `${name}: the keys are of format ${what}, which no errand wrote; choose another prefix: { prefix: "…" }`, {
        details,
      });
    }
    case "denied":
      return failureOf(Object.assign(new Error(type), { name: "ReplyError" }), `${name}: ${what}`, "not sent");
    case "beheaded":
      return new ErrandError(
        "store-corrupt",
        `${name}: there is a key ${what}, but none of what says whose it is: somebody took away a part of errand's keys, or the server evicted it; restore a backup, or choose another prefix: { prefix: "…" }`,
        { details, isDefinite: true },
      );
    default:
      return new ErrandError(
        "store-foreign",
        `${name}: the key ${what} is a ${type} that is not errand's; choose another prefix, { prefix: "…" }, or take it away`,
        {
          details,
        },
      );
  }
}

function partitions(count: string): string {
  return count === "1" ? "one partition" : `${count} partitions`;
}

/** A hint, so what cannot be looked for is left. */
async function elsewhereIn(session: Session, home: string, info: Info): Promise<string | undefined> {
  const others = Object.keys(info).flatMap((name) => /^db(\d+)$/.exec(name)?.[1] ?? []);
  const own = /\/(\d+)$/.exec(session.name)?.[1] ?? "0";
  const looked = others.filter((database) => database !== own).slice(0, databasesMax);
  if (looked.length === 0 || info["redis_mode"] === "cluster") return undefined;
  const found = await session.run(elsewhereScript, home, looked).catch(() => "");
  return found === "" ? undefined : String(found);
}
