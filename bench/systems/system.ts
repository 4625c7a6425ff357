/** A system under measurement answers questions; each answer is made in a process of its own, on a fresh file or database. */
import type { Durability } from "../redis/durability.ts";

export type Question =
  | "bulk"
  | "awaiting64"
  | "single"
  | "drain"
  | "drain-2"
  | "drain-4"
  | "drain-1ms"
  | "ordered"
  | "ordered-1ms"
  | "latency"
  | "latency-across"
  | "latency-pooled"
  | "trickle"
  | "half-load"
  | "backlog"
  | "killed"
  | "in-flight"
  | "stored"
  | "due"
  | "due-claims"
  | "idle"
  | "committers"
  | "pinned"
  | "paced-pinned"
  | "history";

export type Store = "sqlite" | "postgres" | "redis";

/** Jobs per second, or milliseconds, by name. */
export type Figures = Readonly<Record<string, number>>;

/** What a question says beside its name. */
export interface Asked {
  readonly seconds: number;
  readonly held?: Held;
  /** Jobs that wait all the while. */
  readonly backlog?: number;
  /** Of a server that is started for the answer. */
  readonly durability?: Durability;
}

/** By somebody else, all the while. */
export type Held = "nothing" | "snapshot" | "writer" | "enqueue";

export interface System {
  readonly name: string;
  /** Its own best documented settings, in a line. */
  readonly settings: string;
  /** Default: sqlite. */
  readonly store?: Store;
  /** Of Redis; default: a server. */
  readonly on?: "server" | "cluster";
  /** `store`: the path of a file, or the URL of a database or server. */
  readonly answers: Partial<Record<Question, (store: string, jobs: number, asked: Asked) => Promise<Figures>>>;
}

/** p50, p95, p99, p99.9 and the largest, in ms. */
export function quantiles(samples: readonly number[]): Figures {
  const at = quantileOf(samples);
  return { p50ms: at(0.5), p95ms: at(0.95), p99ms: at(0.99), p999ms: at(0.999), maxMs: at(1) };
}

/** Of a chart: what share of the samples took no longer. */
export const shares = [0.1, 0.25, 0.5, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99, 0.995, 0.9975, 0.999] as const;

/** The same, and the whole of it. */
export function distribution(samples: readonly number[]): Figures {
  const at = quantileOf(samples);
  return { ...quantiles(samples), ...Object.fromEntries(shares.map((share) => [`share ${share}`, at(share)])) };
}

function quantileOf(samples: readonly number[]): (share: number) => number {
  const sorted = Float64Array.from(samples).sort();
  return (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** 64 callers, each awaiting its own enqueue before the next. */
export async function callers(jobs: number, enqueue: () => unknown): Promise<void> {
  let left = jobs;
  await Promise.all(
    Array.from({ length: 64 }, async () => {
      while (left-- > 0) await enqueue();
    }),
  );
}
