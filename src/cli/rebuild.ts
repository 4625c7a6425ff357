/** `errand rebuild`: reconciliations run now, in the workers that have them; how far they come is shown until they have ended. */
import type { Rebuilt, ReconciliationView } from "../index.ts";
import { readArguments, usage, type Arguments } from "./arguments.ts";
import { fromNow } from "./instants.ts";
import { paint, remark, say } from "./output.ts";
import { plainJson } from "./plain.ts";
import { withStore, type OpenStore } from "./store.ts";
import { table } from "./table.ts";

const help = `errand rebuild [name]  run all reconciliations now, or one of them: what is
                       undone in your tables and has no job gets one

  --list        only show the reconciliations, and what they found last
  --store URL   the store, as in sqlite:shop.db (or ERRAND_STORE)
  --json        for scripts

They run in the workers that have their code. Ctrl-C stops the waiting, not them.

Exit codes: 0 done, 1 one of them failed, 2 a mistake on the command line,
3 there is none.`;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, { list: { type: "boolean" }, store: { type: "string" }, json: { type: "boolean" } });
  if (given.has("help")) {
    say(help);
    return 0;
  }
  const [name, tooMany] = given.words;
  if (tooMany !== undefined) throw usage(`rebuild does not take "${tooMany}"; it takes one name, or none for all`);
  return withStore(given, (store) => (given.has("list") ? list(store, given, name) : rebuild(store, given, name)));
}

async function list({ work }: OpenStore, given: Arguments, name: string | undefined): Promise<number> {
  const views = (await work.reconciliations()).filter((view) => name === undefined || view.name === name);
  if (given.has("json"))
    say(plainJson({ reconciliations: views.map((view) => ({ ...view, pace: view.pace ?? null, running: view.running ?? null, last: view.last ?? null })) }));
  else if (views.length > 0) say(viewTable(views));
  if (views.length === 0) remark("no reconciliations yet: a broker that defines one registers it when it opens");
  return views.length === 0 ? 3 : 0;
}

async function rebuild({ work }: OpenStore, given: Arguments, name: string | undefined): Promise<number> {
  const line = new Line();
  let rebuilt: readonly Rebuilt[];
  try {
    rebuilt = await work.rebuild({ ...(name !== undefined && { name }), progress: (rebuilds) => line.show(progressWords(rebuilds)) });
  } finally {
    line.end();
  }
  if (given.has("json")) say(plainJson({ reconciliations: rebuilt.map((one) => ({ ...one, reason: one.reason ?? null })) }));
  else if (rebuilt.length > 0) say(rebuiltTable(rebuilt));
  if (rebuilt.length === 0) remark("no reconciliations yet: a broker that defines one registers it when it opens");
  if (rebuilt.length === 0) return 3;
  return rebuilt.every(({ state }) => state === "completed") ? 0 : 1;
}

function progressWords(rebuilds: readonly Rebuilt[]): string {
  return rebuilds
    .map(({ name, state, found, enqueued }) =>
      state === "running" || found > 0 ? `${name}: ${number(found)} found, ${number(enqueued)} enqueued` : `${name}: waits for a worker`,
    )
    .join("; ");
}

function rebuiltTable(rebuilt: readonly Rebuilt[]): string {
  return table(rebuilt, [
    { title: "name", of: ({ name }) => name },
    { title: "state", of: ({ state }) => state, style: ({ state }) => (state === "completed" ? "green" : "red") },
    ...(["found", "missing", "enqueued", "refused", "dead"] as const).map((count) => ({ title: count, of: (one: Rebuilt) => one[count] })),
    { title: "why", of: ({ reason }) => reason ?? "", isFree: true },
  ]);
}

function viewTable(views: readonly ReconciliationView[]): string {
  return table(views, [
    { title: "name", of: ({ name }) => name },
    { title: "every", of: ({ every }) => every },
    { title: "next", of: ({ next, isPaused }) => (isPaused ? "paused" : next === undefined ? "never" : fromNow(next)) },
    ...(["found", "missing", "enqueued", "refused", "dead"] as const).map((count) => ({
      title: count,
      of: ({ running, last }: ReconciliationView) => (running ?? last)?.[count] ?? 0,
    })),
    { title: "last", of: ({ running, last }) => (running !== undefined ? "runs now" : last === undefined ? "never" : fromNow(last.endedAt)), isFree: true },
  ]);
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}

/** One line on a terminal that is written over; elsewhere nothing. */
class Line {
  show(text: string): void {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${paint("dim", text.slice(0, Math.max(20, process.stderr.columns - 1)), process.stderr)}`);
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write("\r\u001b[2K");
  }
}
