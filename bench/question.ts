/** A question of the bench, and the section of docs/benchmarks.md that its answers stand in. */
import type { Durability } from "./redis/durability.ts";
import type { Held, Question, Store } from "./systems/system.ts";

export interface BenchQuestion {
  readonly section: Section;
  readonly name: Question;
  readonly title: string;
  readonly unit: Unit;
  readonly systems: readonly string[];
  /** Of the systems, those that are asked with `--full` only, or when the question is asked for by its name. */
  readonly slow?: readonly string[];
  /** By system; those of the first stand for the others. */
  readonly jobs: Readonly<Record<string, number>>;
  readonly held?: Held;
  /** Jobs that wait all the while. */
  readonly backlog?: number;
  /** Of the server that is started for it; default: memory. Unless `--durability` says so. */
  readonly durability?: Durability;
  /** Default: 30. Unless `--seconds` says so. */
  readonly seconds?: number;
  /** Asked with `--full` only, or when it is asked for by its name. */
  readonly isLong?: true;
  /** Asked with `--huge` only. */
  readonly isHuge?: true;
}

export type Unit = "jobs/s" | "commits/s" | "ms" | "jobs/s over time" | "bytes" | "commands/s" | "% of a core";

/** Asked on every store, each in a section of its own. */
export type Topic = "load" | "backlog" | "killed" | "due" | "history" | "idle";
export type Section = Store | `${Store}-${Topic}` | "committers" | "pinned" | "paced" | "redis-aof" | "redis-cluster";

const topics: Readonly<Record<Topic, string>> = {
  load: "jobs that arrive at random",
  backlog: "cost of a job against the backlog",
  killed: "while worker processes are killed",
  due: "when a million jobs fall due at once",
  history: "with a history",
  idle: "with nothing to do",
};
const stores: Readonly<Record<Store, string>> = { sqlite: "SQLite", postgres: "PostgreSQL", redis: "Redis" };

/** In the order of the document. */
export const sections: Readonly<Record<Section, string>> = {
  sqlite: stores.sqlite,
  ...titlesOf("sqlite"),
  postgres: stores.postgres,
  ...titlesOf("postgres"),
  committers: "PostgreSQL, in the app's transactions",
  pinned: "PostgreSQL, while a transaction is held open",
  paced: "PostgreSQL, at 2,000 jobs a second while a transaction is held open",
  redis: stores.redis,
  ...titlesOf("redis"),
  "redis-aof": "Redis, each write on disk before it is answered",
  "redis-cluster": "Redis Cluster",
};

export function storeOf(section: Section): Store {
  return (["sqlite", "redis"] as const).find((store) => section.startsWith(store)) ?? "postgres";
}

/** Undefined where the section is of one store only. */
export function topicOf(section: Section): Topic | undefined {
  return (Object.keys(topics) as Topic[]).find((topic) => section === `${storeOf(section)}-${topic}`);
}

function titlesOf<S extends Store>(store: S): Readonly<Record<`${S}-${Topic}`, string>> {
  return Object.fromEntries(Object.entries(topics).map(([topic, title]) => [`${store}-${topic}`, `${stores[store]}, ${title}`])) as Record<
    `${S}-${Topic}`,
    string
  >;
}
