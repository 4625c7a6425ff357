/** What an acknowledged write survives, as the server is set to it: read from the server, by a name, with what each one may lose. */
import { redisReplicasMax } from "../core/defaults.ts";
import { ErrandError } from "../core/errors.ts";
import type { Connection } from "./client.ts";
import { infoOf } from "./info.ts";
import type { Info } from "./info.ts";

export interface Durability {
  /** Without what replicas add. */
  readonly disk: "memory" | "aof-everysec" | "aof-always";
  readonly replicas: number;
  /** What the name alone does not say; each a sentence. */
  readonly notes: readonly string[];
}

type Session = Pick<Connection, "ask">;

const losses: Readonly<Record<Durability["disk"], string>> = {
  memory: "A server that stops or crashes loses everything since its last snapshot, or all of it; set appendonly yes to keep more.",
  "aof-everysec": "A server that crashes, or whose machine does, loses what it acknowledged within the last second, or two.",
  "aof-always": "Each write is on the server's disk before it is acknowledged, as far as the disk keeps what it says it has written.",
};

/** "memory", "aof-everysec", "aof-always", "replicated(2)". */
export function nameOf({ disk, replicas }: Durability): string {
  return replicas === 0 ? disk : `replicated(${replicas})`;
}

/** In one sentence or two, for `guarantees()`, the log and the docs. */
export function saidOf(durability: Durability): string {
  const { disk, replicas, notes } = durability;
  const onDisk = [losses[disk], ...notes].join(" ");
  if (replicas === 0) return `${disk}. ${onDisk}`;
  const least = replicas === 1 ? "one replica has" : `${replicas} replicas have`;
  return `${nameOf(durability)}. At least ${least} each write, in memory, before it is acknowledged; promoting one that lacks it loses it. On the primary's own disk (${disk}): ${onDisk}`;
}

/** Whether an acknowledged write survives less than before. */
export function isWeaker(now: Durability, before: Durability): boolean {
  return order.indexOf(now.disk) < order.indexOf(before.disk);
}

const order: readonly Durability["disk"][] = ["memory", "aof-everysec", "aof-always"];

/** `info`: where it was just asked for. */
export async function durabilityOf(session: Session, replicas: number, info?: Info): Promise<Durability> {
  const { aof_enabled: isAppending } = info ?? (await permitted(async () => infoOf(await session.ask("info", "persistence")))) ?? {};
  const settings = await settingsOf(session);
  if (isAppending === undefined) return { disk: "memory", replicas, notes: ["This user may not read INFO, so the server may keep more than that."] };
  if (isAppending !== "1") return { disk: "memory", replicas, notes: snapshots(settings?.["save"]) };
  if (settings === undefined) {
    return {
      disk: "aof-everysec",
      replicas,
      notes: ["This user may not read CONFIG, so this is what a server that appends does unless it is told otherwise."],
    };
  }
  const { appendfsync } = settings;
  if (appendfsync === "always") return { disk: "aof-always", replicas, notes: [] };
  if (appendfsync === "no")
    return {
      disk: "memory",
      replicas,
      notes: ["It appends to a file (appendfsync no), and the machine writes that when it likes: within half a minute, mostly."],
    };
  const isHeldUp = settings["no-appendfsync-on-rewrite"] === "yes";
  return { disk: "aof-everysec", replicas, notes: isHeldUp ? ["While it rewrites its file (no-appendfsync-on-rewrite yes), it loses more."] : [] };
}

/** Undefined: this user may not read them. */
async function settingsOf(session: Session): Promise<Readonly<Record<string, string>> | undefined> {
  return permitted(async () => {
    const settings: Record<string, string> = {};
    // Redis 6.2 takes one name at a time.
    for (const name of ["appendfsync", "save", "no-appendfsync-on-rewrite"]) {
      const [, value = ""] = (await session.ask("config", "get", name)) as readonly string[];
      settings[name] = value;
    }
    return settings;
  });
}

/** Managed servers rename CONFIG away, or forbid it. */
async function permitted<T>(asked: () => Promise<T>): Promise<T | undefined> {
  try {
    return await asked();
  } catch (error) {
    if (ErrandError.is(error) && (error.details["answer"] === "NOPERM" || /unknown command|not allowed/i.test(error.message))) return undefined;
    throw error;
  }
}

function snapshots(save: string | undefined): readonly string[] {
  if (save === undefined) return [];
  if (save === "") return ["It takes no snapshots."];
  return [`It takes snapshots (save ${save}), which do not count: they come minutes after a write.`];
}

/** Throws `option-invalid`. */
export function checkReplicas(replicas: number): number {
  if (Number.isInteger(replicas) && replicas >= 0 && replicas <= redisReplicasMax) return replicas;
  throw new ErrandError(
    "option-invalid",
    `replicas is ${String(replicas)}; say how many replicas must have a write before it is acknowledged: 0 to ${redisReplicasMax}`,
  );
}
