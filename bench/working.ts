/** A system, as the questions use it: something that enqueues, and something that works, maybe in another process. */
export interface WorkingSystem {
  readonly name: string;
  /** Its own best documented settings, in a line. */
  readonly settings: string;
  /** Makes the store ready, if that is needed. */
  produce(url: string): Promise<Producer>;
  /** Connected, and not yet at work. */
  work(url: string, how: How, run: Run): Promise<Worker>;
}

export interface Producer {
  /** In one call. */
  enqueue(ids: readonly number[]): Promise<unknown>;
  enqueueOne(id: number): Promise<unknown>;
  /** In one call, to start at this time and not before, in ms since 1970. Absent: it has no such thing. */
  enqueueDue?(ids: readonly number[], at: number): Promise<unknown>;
  counts(): Promise<Counts>;
  close(): Promise<void>;
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
  readonly for: "throughput" | "latency" | "due";
  /** The jobs have something to wait for. */
  readonly waitMs: number;
  /** A job's id is when it was handed over: a worker process tells how long its jobs took to start. */
  readonly isTimed?: true;
  /** A worker process tells of each start at once. */
  readonly isTold?: true;
  /** The jobs do not end. */
  readonly isHeld?: true;
}

export type Run = (id: number) => Promise<void> | undefined;

export interface Worker {
  start(): Promise<void>;
  /** By the object that works, where one process does both. */
  enqueueOne?(id: number): Promise<unknown>;
  /** When all that runs has ended and is stored. */
  stop(): Promise<void>;
}
