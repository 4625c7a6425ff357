/** What is asked, of whom, with how many jobs. */
export interface BenchQuestion {
  readonly name: string;
  readonly title: string;
  readonly unit: "jobs/s" | "ms";
  readonly systems: readonly string[];
  /** By system; errand's stand for the others. */
  readonly jobs: Readonly<Record<string, number>>;
}

const all = ["errand", "plainjob", "bare driver"];
/** errand against itself: without a key, and ordered by so many. */
const keyed = ["errand", "errand, 32 keys", "errand, 1,000 keys"];

export const questions: readonly BenchQuestion[] = [
  { name: "bulk", title: "bulk enqueue, 1,000 a call", unit: "jobs/s", systems: all, jobs: { errand: 200_000 } },
  { name: "awaiting64", title: "awaited single enqueues, 64 callers", unit: "jobs/s", systems: all, jobs: { errand: 100_000 } },
  { name: "single", title: "awaited single enqueue, 1 caller", unit: "jobs/s", systems: all, jobs: { errand: 10_000 } },
  { name: "drain", title: "drain of no-op jobs, 1 process", unit: "jobs/s", systems: all, jobs: { errand: 200_000, plainjob: 40_000 } },
  { name: "ordered", title: "drain of no-op jobs, ordered by key", unit: "jobs/s", systems: keyed, jobs: { errand: 100_000 } },
  { name: "ordered-1ms", title: "drain of jobs of 1 ms, ordered by key", unit: "jobs/s", systems: keyed, jobs: { errand: 50_000 } },
  { name: "latency", title: "enqueue to start, idle worker in process, 50/s", unit: "ms", systems: ["errand", "plainjob"], jobs: { errand: 150 } },
];
