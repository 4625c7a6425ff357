/** `errand metrics`: what the store tells a monitoring system, as Prometheus scrapes it. What a worker counts, it tells itself. */
import { prometheusText } from "../index.ts";
import { readArguments, usage } from "./arguments.ts";
import { say } from "./output.ts";
import { plainJson } from "./plain.ts";
import { withStore } from "./store.ts";

const help = `errand metrics        what the store tells, in Prometheus's text format:
                      jobs by queue, task and state; what is paused; breakers;
                      late schedules; what reconciliations found

  --store URL   the store, as in sqlite:shop.db (or ERRAND_STORE)
  --json        for scripts

What a worker counts (runs, claims, …) it tells itself: work.metrics().

Exit codes: 0 done, 1 failed, 2 a mistake on the command line.`;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, { store: { type: "string" }, json: { type: "boolean" } });
  if (given.has("help")) {
    say(help);
    return 0;
  }
  if (given.words[0] !== undefined) throw usage(`metrics does not take "${given.words[0]}"`);
  return withStore(given, async ({ work }) => {
    const metrics = await work.metrics({ of: "store" });
    say(given.has("json") ? plainJson({ metrics: metrics.map((metric) => ({ ...metric, unit: metric.unit ?? null })) }) : prometheusText(metrics).trimEnd());
    return 0;
  });
}
