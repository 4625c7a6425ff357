/** A system on PostgreSQL, as the questions use it: something that enqueues, and something that works. */
import type pg from "pg";

export interface PostgresSystem {
  readonly name: string;
  /** Its own best documented settings, in a line. */
  readonly settings: string;
  /** That of its tables. */
  readonly schema: string;
  /** Installs its schema. */
  produce(url: string): Promise<Producer>;
  /** Connected, and not yet at work. */
  work(url: string, how: How, run: Run): Promise<Worker>;
  /** After some of its jobs have completed. Absent: it keeps none. */
  history?(url: string): Promise<History>;
}

export interface Producer {
  /** In one call. */
  enqueue(ids: readonly number[]): Promise<unknown>;
  enqueueOne(id: number): Promise<unknown>;
  /** In the caller's open transaction. Absent: it has no such thing. */
  enqueueWithin?(client: pg.ClientBase, id: number): Promise<unknown>;
  counts(): Promise<Counts>;
  close(): Promise<void>;
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

export interface Counts {
  /** Stored, and their end is not. */
  readonly unended: number;
  /** Stored as done; undefined where they are deleted. */
  readonly done?: number;
}

export interface How {
  /** Jobs at once. */
  readonly hands: number;
  /** What to be good at. */
  readonly for: "throughput" | "latency";
  /** The jobs have something to wait for. */
  readonly waitMs: number;
  /** A job's id is when it was handed over: a worker process tells how long its jobs took to start. */
  readonly isTimed?: true;
}

export type Run = (id: number) => Promise<void> | undefined;

export interface Worker {
  start(): Promise<void>;
  /** By the object that works, where one process does both. */
  enqueueOne?(id: number): Promise<unknown>;
  /** When all that runs has ended and is stored. */
  stop(): Promise<void>;
}
