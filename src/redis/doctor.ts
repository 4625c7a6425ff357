/** Looks at a store on Redis, and changes nothing. */
import type { Examination, Fact, Finding } from "../core/examination.ts";
import { ErrandError } from "../core/errors.ts";
import { connectionOf } from "./client.ts";
import type { Connection } from "./client.ts";
import { durabilityOf } from "./durability.ts";
import type { Durability } from "./durability.ts";
import { eraLua, format } from "./era.ts";
import type { Script } from "./fragment.ts";
import { guaranteesOf } from "./guarantees.ts";
import { infoOf } from "./info.ts";
import type { Info } from "./info.ts";
import { keyTypes } from "./keyTypes.ts";
import { refuseEvicting, versionMin } from "./open.ts";
import { homeOf } from "./prefix.ts";
import { homesOf } from "./spread/homes.ts";

/** Of maxmemory, from which on it is told: at all of it each call that stores something fails. */
const memoryMost = 0.8;
/** Messages between partitions that may be on their way. */
const waitingMost = 1_000;

interface Place {
  readonly connection: Connection;
  /** What all keys begin with. */
  readonly home: string;
}

/** Throws `option-invalid`, `engine-missing`, `store-unreachable`, `store-denied`. */
export async function examine(url: string): Promise<Examination> {
  return at(url, async (place) => {
    const info = await permittedInfo(place.connection);
    const durability = await durabilityOf(place.connection, 0, info["aof_enabled"] === undefined ? undefined : info);
    const stored = await lookAtKeys(place);
    const spread = await lookAtPartitions(url, place, info);
    return {
      of: `${place.connection.name}, keys ${place.home}`,
      lookedAt: ["the server's settings", "whose keys they are, and their types", "the store's era"],
      facts: [...serverFacts(info), { of: "durability", is: durabilityIn(info, durability, spread.partitions) }, ...stored.facts, ...spread.facts],
      findings: [...serverFindings(info), ...settingFindings(info, durability, place.connection.name), ...stored.findings, ...spread.findings],
    };
  });
}

/** Whether a store is there. */
export async function isThere(url: string): Promise<boolean> {
  return at(url, async ({ connection, home }) => (await connection.ask("exists", `${home}:m`)) === 1);
}

async function at<T>(url: string, use: (place: Place) => Promise<T>): Promise<T> {
  const { connection, prefix } = connectionOf(url);
  try {
    return await use({ connection, home: homeOf(prefix) });
  } finally {
    await connection.close();
  }
}

function durabilityIn(info: Info, durability: Durability, partitions: number): string {
  return guaranteesOf(durability, { beatsFromThread: true, isCluster: info["redis_mode"] === "cluster", partitions }).durability;
}

interface Looked {
  readonly partitions: number;
  readonly facts: readonly Fact[];
  readonly findings: readonly Finding[];
}

/** Of the others, where there are any; and what all of them have for each other. */
async function lookAtPartitions(url: string, first: Place, of: Info): Promise<Looked> {
  const partitions = Number(await first.connection.ask("hget", `${first.home}:m`, "homes").catch(() => 1)) || 1;
  if (partitions === 1) return { partitions, facts: [], findings: [] };
  const { prefix } = connectionOf(url);
  const others = homesOf(prefix, partitions).slice(1);
  const places = [first, ...others.map((home): Place => ({ connection: connectionOf(url, { home }).connection, home }))];
  try {
    const waiting = (await Promise.all(places.map(waitingAt))).reduce((sum, one) => sum + one, 0);
    const looked = await Promise.all(places.slice(1).map((place) => lookAtPartition(place, of)));
    return {
      partitions,
      facts: [
        { of: "partitions", is: `${partitions}: ${places.map(({ home }) => home).join(", ")}` },
        {
          of: "mail",
          is: waiting === 0 ? "none waits" : `${waiting} ${one(String(waiting), "message")} ${waiting === 1 ? "waits" : "wait"} to be carried`,
        },
      ],
      findings: [...looked.flat(), ...(waiting > waitingMost ? [uncarried(waiting)] : [])],
    };
  } finally {
    await Promise.all(places.slice(1).map(({ connection }) => connection.close()));
  }
}

/** Sees KEYS[1], what all keys of a home begin with. Answers how many messages it has for others (mail.ts). */
const waitingScript: Script = {
  name: "waiting",
  text: String.raw`
local mail = KEYS[1] .. ':mail'
local waiting = 0
for _, name in ipairs(redis.call('HKEYS', mail)) do
  local home = string.match(name, '^out(%d+)$')
  if home then waiting = waiting + redis.call('HGET', mail, name) - (redis.call('HGET', mail, 'cut' .. home) or 0) end
end
return waiting
`,
};

async function waitingAt({ connection, home }: Place): Promise<number> {
  return Number(await connection.run(waitingScript, home, []));
}

/** What is wrong there. `first`: of the server that the first one is on. */
async function lookAtPartition(place: Place, first: Info): Promise<readonly Finding[]> {
  const info = await permittedInfo(place.connection);
  const durability = await durabilityOf(place.connection, 0, info["aof_enabled"] === undefined ? undefined : info);
  const { findings } = await lookAtKeys(place);
  if (info["run_id"] === first["run_id"]) return findings;
  const ofServer = [...serverFindings(info), ...settingFindings(info, durability, place.connection.name)];
  return [...ofServer.map((finding) => ({ ...finding, what: `where ${place.home} is, ${finding.what}` })), ...findings];
}

function uncarried(waiting: number): Finding {
  return {
    about: "integrity",
    what: `${waiting} messages between partitions wait to be carried, which every open process does: start one, or look in its log for why it cannot reach a partition`,
  };
}

async function permittedInfo(connection: Connection): Promise<Info> {
  try {
    return infoOf(await connection.ask("info"));
  } catch (error) {
    if (!ErrandError.is(error) || error.details["answer"] !== "NOPERM") throw error;
    return {};
  }
}

function serverFacts(info: Info): readonly Fact[] {
  const { redis_version: version, valkey_version: valkey, redis_mode: mode = "", role = "", connected_slaves: replicas = "0" } = info;
  if (version === undefined) return [{ of: "server", is: "unknown: this user may not read INFO" }];
  const name = valkey === undefined ? `Redis ${version}` : `Valkey ${valkey}, as Redis ${version}`;
  const { maxmemory = "0", maxmemory_human: most = "", used_memory_human: used = "", maxmemory_policy: policy = "unknown" } = info;
  return [
    { of: "server", is: `${name}, ${mode}` },
    { of: "role", is: role === "slave" ? `replica of ${info["master_host"]}:${info["master_port"]}` : `primary, ${replicas} ${one(replicas, "replica")}` },
    { of: "eviction", is: policy === "noeviction" ? "none (noeviction)" : policy },
    { of: "memory", is: maxmemory === "0" ? `${used} used, no maxmemory` : `${used} of ${most} used` },
  ];
}

function one(count: string, noun: string): string {
  return count === "1" ? noun : `${noun}s`;
}

function serverFindings(info: Info): readonly Finding[] {
  const findings: Finding[] = [];
  const settings = (what: string, repair?: string): void => void findings.push({ about: "settings", what, ...(repair !== undefined && { repair }) });
  const version = info["redis_version"];
  if (version === undefined) {
    findings.push({
      about: "privileges",
      what: "this user may not read INFO, so nobody sees that the server evicts, is a replica, or was restarted; ACL SETUSER <name> +info",
    });
  } else if (isOlder(version)) settings(`the server is Redis ${version}; errand needs ${versionMin.join(".")} or later, or Valkey: upgrade it`);
  if (info["role"] === "slave") settings("the server is a replica, which cannot be written; connect to the primary");
  if (info["aof_last_write_status"] === "err") settings("the server could not write to its append-only file; look at its log, at the disk's room and rights");
  if (info["rdb_last_bgsave_status"] === "err") settings("the server's last snapshot failed; look at its log, at the disk's room and at the machine's memory");
  const [used, most] = [Number(info["used_memory"]), Number(info["maxmemory"])];
  if (most > 0 && used > memoryMost * most) {
    const share = Math.round((100 * used) / most);
    settings(`${share} % of maxmemory is used; at all of it, what is handed in is refused with store-full: raise maxmemory, or keep ended jobs for less long`);
  }
  return findings;
}

function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < versionMin[0] || (major === versionMin[0] && minor < versionMin[1]);
}

function settingFindings(info: Info, { disk }: Durability, name: string): readonly Finding[] {
  const findings: Finding[] = [];
  try {
    refuseEvicting(info, name);
  } catch (error) {
    if (!ErrandError.is(error)) throw error;
    findings.push({
      about: "settings",
      what: `maxmemory-policy is ${info["maxmemory_policy"]}: when memory is short the server throws keys away, and jobs with them; errand does not open such a store`,
      repair: "CONFIG SET maxmemory-policy noeviction",
    });
  }
  if (disk !== "memory" || info["aof_enabled"] === undefined) return findings;
  const isAppending = info["aof_enabled"] === "1";
  const what = isAppending
    ? "appendfsync is no: what was acknowledged in the last half minute can be lost"
    : "appendonly is no: a server that stops loses jobs";
  return [...findings, { about: "settings", what, repair: isAppending ? "CONFIG SET appendfsync everysec" : "CONFIG SET appendonly yes" }];
}

/** Sees KEYS[1], what all keys begin with. */
const pastScript: Script = {
  name: "past",
  text: String.raw`
local K, call = KEYS[1], redis.call
${eraLua}
return is_other(history(), call('HGET', K .. ':m', 'history')) and 1 or 0
`,
};

async function lookAtKeys({ connection, home }: Place): Promise<Pick<Examination, "findings"> & { readonly facts: readonly Fact[] }> {
  const key = `${home}:m`;
  const typed = async (name: string): Promise<string> => String(await connection.ask("type", `${home}:${name}`));
  const types = await Promise.all(Object.entries(keyTypes).map(async ([name, expected]) => ({ name, expected, is: await typed(name) })));
  const wrong = types.filter(({ is, expected }) => is !== "none" && is !== expected);
  const findings = wrong.map(({ name, is }) => foreign(`${home}:${name}`, is));
  if (wrong.some(({ name }) => name === "m")) return { facts: [], findings };
  const [version, era] = (await connection.ask("hmget", key, "format", "era")) as readonly (string | null)[];
  if (version === undefined || version === null)
    return { facts: [], findings: wrong.length > 0 ? findings : [missing(home, types.find(({ is }) => is !== "none")?.name)] };
  const isOther = (await connection.run(pastScript, home, [])) === 1;
  const past = isOther ? "; the server was restarted, promoted or rolled back since, so a new one begins with the next heartbeat" : "";
  const facts = [
    { of: "era", is: `${era ?? "unknown"}${past}` },
    { of: "format", is: version },
  ];
  if (version === String(format)) return { facts, findings };
  const other = Number(version) > format ? "was written by a newer errand; update errand here" : "is of no errand; choose another prefix";
  return { facts, findings: [...findings, { about: "schema", what: `the store is of format ${version}, not ${format}: it ${other}` }] };
}

function foreign(key: string, type: string): Finding {
  return { about: "integrity", what: `key ${key} is a ${type} that is not errand's; choose another prefix (?prefix=…), or take it away` };
}

function missing(home: string, left: string | undefined): Finding {
  if (left === undefined) return { about: "schema", what: `no app and no worker has used ${home} as a store yet; opening it makes it` };
  return {
    about: "integrity",
    what: `there is a key ${home}:${left}, but none of what says whose it is: a part of errand's keys was taken away, or evicted; restore a backup, or choose another prefix`,
  };
}
