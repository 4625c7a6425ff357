/** Every layer of the proof, as a program that is run: briefly by `npm run verify`, for long and again and again by `npm run verify:soak`. */
import { existsSync } from "node:fs";
import { inRoot } from "../../scripts/root.ts";

export interface Size {
  readonly seed: number;
  readonly isSoak: boolean;
}

export interface Round {
  /** As it names itself in its tallies. */
  readonly layer: string;
  /** What is on the screen. */
  readonly what: string;
  /** From the root, for Node.js. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** How many seeds it uses, from the one that it is given. */
  readonly seeds: number;
}

export interface Layer {
  readonly layer: string;
  readonly what: string;
  /** Such as the engine of a fault run. */
  readonly on?: string;
  /** Of ten rounds of a soak so many are of this layer; 0: none. */
  readonly share: number;
  readonly round: (size: Size) => Pick<Round, "args" | "env" | "seeds">;
}

const tests = (word: string): string[] => ["scripts/runTests.ts", word];

const apart: readonly Layer[] = [
  {
    layer: "simulator",
    what: "simulated lives",
    share: 2,
    round: ({ seed, isSoak }) => {
      const lives = isSoak ? 2_000 : 100;
      return { args: tests("verify/simulator"), env: { ERRAND_SEED: String(seed), ERRAND_LIVES: String(lives) }, seeds: lives };
    },
  },
  {
    layer: "model",
    what: "random commands against the model",
    share: 1,
    round: ({ seed, isSoak }) => ({ args: tests("verify/model"), env: { MODEL_SEED: String(seed), MODEL_RUNS: isSoak ? "2000" : "150" }, seeds: 1 }),
  },
  {
    layer: "differential",
    what: "one stream of operations to all engines",
    share: 1,
    round: ({ seed, isSoak }) => {
      const operations = isSoak ? 100_000 : 5_000;
      // A segment for each seed, of some hundred operations.
      return { args: tests("verify/differential/all"), env: { STREAM_SEED: String(seed), STREAM_OPERATIONS: String(operations) }, seeds: operations / 100 };
    },
  },
  {
    layer: "walk",
    what: "random lives at the port",
    share: 1,
    round: ({ seed, isSoak }) => {
      const lives = isSoak ? 300 : 14;
      return { args: tests("port/walk"), env: { ERRAND_SEED: String(seed), ERRAND_LIVES: String(lives) }, seeds: lives };
    },
  },
  {
    layer: "locks",
    what: "locks under faults, checked for linearizability",
    share: 1,
    round: ({ seed, isSoak }) => {
      const lives = isSoak ? 1_000 : 100;
      return { args: tests("verify/locks"), env: { ERRAND_SEED: String(seed), ERRAND_LIVES: String(lives) }, seeds: lives };
    },
  },
  {
    layer: "million",
    what: "jobs without a fault on each engine",
    share: 1,
    round: ({ isSoak }) => ({ args: ["verify/million/main.ts", "--jobs", isSoak ? "1000000" : "20000"], env: {}, seeds: 1 }),
  },
  { layer: "scopes", what: "all interleavings of small scopes", share: 0, round: () => ({ args: tests("verify/scopes"), env: {}, seeds: 1 }) },
  {
    layer: "disk",
    what: "SQLite's files under killed processes, failed calls and power cuts",
    share: 1,
    round: ({ seed }) => ({ args: tests("verify/disk"), env: { ERRAND_SEED: String(seed) }, seeds: 1 }),
  },
  {
    layer: "wire",
    what: "connections broken at each message of each verb",
    share: 1,
    round: ({ seed, isSoak }) => ({ args: tests("verify/wire"), env: { ERRAND_SEED: String(seed), WIRE: isSoak ? "20" : "4" }, seeds: 1 }),
  },
];

const topologies = [
  "sqlite",
  "postgres",
  "postgres-pooled",
  "postgres-synchronous",
  "postgres-asynchronous",
  "redis",
  "redis-partitions",
  "redis-everysec",
  "redis-memory",
  "redis-cluster",
];
const quickTopologies = ["sqlite", "postgres", "redis"];
const soakSeconds = 120;
const quickSeconds = 20;

const faultRuns: readonly Layer[] = topologies.map((on) => ({
  layer: "fault-run",
  what: `a fault run on ${on}`,
  on,
  share: 1,
  round: ({ seed, isSoak }) => {
    const [preset, seconds] = isSoak ? ["soak", soakSeconds] : ["usual", quickSeconds];
    const args = [
      "verify/faults/main.ts",
      "--topology",
      on,
      "--preset",
      preset,
      "--seconds",
      String(seconds),
      "--seed",
      String(seed),
      "--quiet",
      "--keep-broken",
    ];
    return { args: args.map(String), env: {}, seeds: 1 };
  },
}));

/** Those that this tree has. */
export function layersFor({ isSoak }: Pick<Size, "isSoak">): readonly Layer[] {
  const runs = faultRuns.filter(({ on = "" }) => isSoak || quickTopologies.includes(on));
  const all = [...apart, ...runs].filter(({ round }) => isThere(round({ seed: 1, isSoak }).args));
  return isSoak ? all.filter(({ share }) => share > 0) : all;
}

function isThere(args: readonly string[]): boolean {
  const [entry = "", word = ""] = args;
  return entry === "scripts/runTests.ts"
    ? word.startsWith("port/") || existsSync(inRoot(word)) || existsSync(inRoot(`${word}.test.ts`))
    : existsSync(inRoot(entry));
}
