/** A system on PostgreSQL, as the questions use it. */
import type pg from "pg";
import type { Producer, WorkingSystem } from "../working.ts";

export interface PostgresSystem extends WorkingSystem {
  /** That of its tables. */
  readonly schema: string;
  /** Installs its schema. */
  produce(url: string): Promise<PostgresProducer>;
  /** After some of its jobs have completed. Absent: it keeps none. */
  history?(url: string): Promise<History>;
}

export interface PostgresProducer extends Producer {
  /** In the caller's open transaction. Absent: it has no such thing. */
  enqueueWithin?(client: pg.ClientBase, id: number): Promise<unknown>;
}

/** Completed jobs, as a system keeps them. */
export interface History {
  /** Stores so many at once, as its own verbs would have one by one. */
  fill(jobs: number): Promise<void>;
  /** Its own verb finds this many, from the first to the last of what was filled. */
  found(): Promise<number>;
  /** By its own verb, if that counts. */
  completed?(): Promise<number>;
  readonly retention?: Retention;
  close(): Promise<void>;
}

export interface Retention {
  /** About so many of the oldest are due to go; answers how many. */
  age(jobs: number): Promise<number>;
  pass(): Promise<{ readonly removed: number; readonly hasMore: boolean }>;
}
