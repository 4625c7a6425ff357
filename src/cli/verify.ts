/** `errand verify`: a fault run on somebody's own store, or engine. */
import { durationMs, type Duration } from "../core/duration.ts";
import { leaseMs as usualLeaseMs } from "../core/defaults.ts";
import { ErrandError } from "../core/errors.ts";
import { realRuntime } from "../runtime/real.ts";
import { isModule, reportText, verify, type Verified, type VerifyOptions } from "../verify/index.ts";
import { numberOf, readArguments, usage, type Arguments } from "./arguments.ts";
import { complain, paint, remark, say } from "./output.ts";
import { plain, plainJson } from "./plain.ts";
import { storeGiven } from "./store.ts";

const seconds = { usual: 60, least: 5, most: 21_600 } as const;
const workers = { usual: 4, most: 64 } as const;
const producers = { usual: 2, most: 16 } as const;
const seedMost = 2 ** 32 - 1;

const help = `errand verify [url]    a fault run on your own store: producers and workers in
                       processes of their own, which are killed, stopped beyond
                       their lease and told to end, and whose connections are
                       cut, frozen, slowed down and left half open; then all is
                       compared with what was promised. In a schema, a prefix or
                       a folder of its own, which is taken away at the end
errand verify <module> the same on an engine of somebody else: a file whose default
                       export is a SharedEngine of errand/conformance

  --seconds N    without and with faults, together. Default ${seconds.usual}; until all
                 is done and looked at it takes a little longer
  --workers N    processes that work. Default ${workers.usual}
  --producers N  processes that hand in. Default ${producers.usual}
  --lease TIME   how long a silent worker keeps its jobs. Default ${usualLeaseMs / 1_000}s
  --seed N       of what is handed in and which faults are made. Default: by chance
  --keep         keep the histories, for a bug report, and say where
  --store URL    the store, as in postgres://app@db/shop (or ERRAND_STORE)
  --json         for scripts

Exit codes: 0 all held, 1 something was broken, 2 it could not run.`;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, {
    store: { type: "string" },
    seconds: { type: "string" },
    workers: { type: "string" },
    producers: { type: "string" },
    lease: { type: "string" },
    seed: { type: "string" },
    keep: { type: "boolean" },
    json: { type: "boolean" },
  });
  if (given.has("help")) {
    say(help);
    return 0;
  }
  const stopped = new AbortController();
  const unlisten = stopBySignals(stopped);
  try {
    return told(given, await verify(optionsOf(given, stopped.signal)));
  } catch (error) {
    if (ErrandError.is(error, "cli-usage")) throw error;
    complain(error instanceof Error ? error.message : String(error));
    return 2;
  } finally {
    unlisten();
  }
}

function optionsOf(given: Arguments, signal: AbortSignal): VerifyOptions {
  if (process.platform === "win32") throw usage("verify needs signals that stop a process, which Windows has not; run it on Linux or macOS");
  const leaseMs = given.text("lease") === undefined ? usualLeaseMs : durationMs(given.text("lease") as Duration, "--lease");
  const [module = ""] = given.words;
  const store = isModule(module) && given.words.length === 1 ? module : storeGiven(given);
  return {
    store,
    seconds: numberOf(given, "seconds", seconds.usual, seconds.least, seconds.most),
    workers: numberOf(given, "workers", workers.usual, 2, workers.most),
    producers: numberOf(given, "producers", producers.usual, 1, producers.most),
    seed: numberOf(given, "seed", Math.floor(realRuntime().random() * seedMost), 0, seedMost),
    leaseMs,
    keep: given.has("keep"),
    progress: progress(),
    signal,
  };
}

function told(given: Arguments, { report, left }: Verified): number {
  const { held } = report.verdict;
  if (given.has("json")) say(plainJson({ ...report, left: left ?? null, withoutNetwork: report.withoutNetwork ?? null, history: report.history ?? null }));
  else say(reportText(report).split("\n").map(plain).join("\n"));
  if (report.history !== undefined) remark(`the histories are in ${report.history}`);
  if (left !== undefined) complain(left);
  remark(held ? paint("green", "all held", process.stderr) : paint("red", "something was broken: see above", process.stderr));
  return held ? 0 : 1;
}

/** The first ends the run, which takes its place away; the second ends the process as it is. */
function stopBySignals(stopped: AbortController): () => void {
  const hear = (): void => {
    if (stopped.signal.aborted) process.exit(2);
    remark("stopping, and taking away what was made; again: at once, and it stays");
    stopped.abort(new Error("stopped before the end"));
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.on(signal, hear);
  return () => {
    for (const signal of signals) process.off(signal, hear);
  };
}

/** Lines with the time since the beginning. */
function progress(): (what: string) => void {
  const clock = realRuntime();
  const begun = clock.monotonic();
  return (what) => remark(`${paint("dim", `${((clock.monotonic() - begun) / 1_000).toFixed(1).padStart(6)} s`, process.stderr)}  ${plain(what)}`);
}
