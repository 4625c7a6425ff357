/** `errand locks`: who holds which lock, and who waits for it. */
import { pageMax } from "../core/defaults.ts";
import type { LockRow } from "../core/engine.ts";
import { readArguments, usage } from "./arguments.ts";
import { remark, say } from "./output.ts";
import { plainJson } from "./plain.ts";
import { withStore, type OpenStore } from "./store.ts";
import { table } from "./table.ts";

const help = `errand locks [name]  who holds which lock, by process and fence, and how many
                     wait for it; also leaderships, which are locks

  --store URL   the store, as in sqlite:shop.db (or ERRAND_STORE)
  --json        for scripts

Exit codes: 0 done, 1 failed, 2 a mistake on the command line,
3 nobody holds one or waits for one.`;

interface LockLine {
  readonly name: string;
  /** Of those that hold it, else of the first that waits. */
  readonly mode: LockRow["mode"];
  readonly holders: readonly { readonly process: string; readonly mode: LockRow["mode"]; readonly fence: number }[];
  readonly waiting: number;
}

const pagesMax = 20;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, { store: { type: "string" }, json: { type: "boolean" } });
  if (given.has("help")) {
    say(help);
    return 0;
  }
  const [name, tooMany] = given.words;
  if (tooMany !== undefined) throw usage(`locks does not take "${tooMany}"; it takes one name, or none for all`);
  return withStore(given, async (store) => {
    const locks = linesOf(await ticketsOf(store)).filter((lock) => name === undefined || lock.name === name);
    if (given.has("json")) say(plainJson({ locks }));
    else if (locks.length > 0) say(lockTable(locks));
    if (locks.length === 0) remark(name === undefined ? "no locks: nobody holds one or waits for one" : `nobody holds lock ${name} or waits for it`);
    return locks.length === 0 ? 3 : 0;
  });
}

/** In the order of their asking: at most 20,000. */
async function ticketsOf({ engine }: OpenStore): Promise<readonly LockRow[]> {
  const tickets: LockRow[] = [];
  let after: string | undefined;
  for (let page = 0; page < pagesMax; page++) {
    const { rows, next } = await engine.find({ of: "locks", limit: pageMax, ...(after !== undefined && { after }) }, {});
    tickets.push(...rows);
    after = next;
    if (after === undefined) break;
  }
  return tickets;
}

function linesOf(tickets: readonly LockRow[]): readonly LockLine[] {
  const lines = [...Map.groupBy(tickets, ({ name }) => name)].map(([name, line]) => {
    const holders = line.filter(({ isGranted }) => isGranted).map(({ process, mode, fence }) => ({ process, mode, fence }));
    return { name, mode: (holders[0] ?? line[0])?.mode ?? "write", holders, waiting: line.length - holders.length };
  });
  return lines.toSorted((a, b) => a.name.localeCompare(b.name));
}

/** A line for each that holds it. */
function lockTable(locks: readonly LockLine[]): string {
  const rows = locks.flatMap(({ name, mode, holders, waiting }) => {
    const [first, ...others] = holders;
    return [{ name, mode, holder: first, waiting: String(waiting) }, ...others.map((holder) => ({ name: "", mode: holder.mode, holder, waiting: "" }))];
  });
  return table(rows, [
    { title: "lock", of: ({ name }) => name },
    { title: "mode", of: ({ mode }) => mode },
    { title: "held by", of: ({ holder }) => holder?.process ?? "nobody yet" },
    { title: "fence", of: ({ holder }) => (holder === undefined ? "" : String(holder.fence)) },
    { title: "waiting", of: ({ waiting }) => waiting },
  ]);
}
