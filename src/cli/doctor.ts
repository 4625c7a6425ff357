/** `errand doctor`: what is wrong with a store, and what repairs it. Changes nothing. */
import { examine } from "../storeCare.ts";
import { readArguments, usage } from "./arguments.ts";
import { paint, remark, say } from "./output.ts";
import { plain, plainJson } from "./plain.ts";
import { storeGiven } from "./store.ts";
import { refuseMissingFile } from "./storeFile.ts";

const help = `errand doctor [url]   look for what is wrong with a store, and print what
                      repairs it; nothing is changed. On PostgreSQL, in SQL:
                      tables, indexes and functions, privileges, settings of the
                      server, what keeps vacuum from its work. On SQLite: the
                      file's integrity, its tables and indexes. On Redis, for
                      redis-cli: its durability and what it can lose, eviction,
                      memory, its role, whose keys they are, the era

  --store URL   the store, as in postgres://app@db/shop (or ERRAND_STORE)
  --schema S    on PostgreSQL, the schema. Default: the URL's, or errand
  --json        for scripts

Exit codes: 0 nothing was found, 1 something is wrong, or the store could not be
looked at, 2 a mistake on the command line.`;

const factWidth = 12;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, { store: { type: "string" }, schema: { type: "string" }, json: { type: "boolean" } });
  if (given.has("help")) {
    say(help);
    return 0;
  }
  const url = storeGiven(given);
  if (url.startsWith("memory:")) throw usage("memory: is a store within one process, and this process has just begun; name the store that your app uses");
  if (given.text("schema") !== undefined && !url.startsWith("postgres")) throw usage("--schema is for PostgreSQL; the store's URL says the rest");
  refuseMissingFile(url);
  const { of, lookedAt, facts = [], findings } = await examine(url, given.text("schema"));
  if (given.has("json")) {
    const told = Object.fromEntries(facts.map((fact) => [fact.of, fact.is]));
    say(plainJson({ store: of, lookedAt, facts: told, findings: findings.map(({ about, what, repair = null }) => ({ about, what, repair })) }));
    return findings.length === 0 ? 0 : 1;
  }
  remark(`${of}: looked at ${lookedAt.join("; ")}`);
  for (const fact of facts) say(`${fact.of.padEnd(factWidth)}${plain(fact.is)}`);
  for (const { about, what } of findings) say(`-- ${paint("yellow", about)}: ${plain(what)}`);
  const repairs = findings.flatMap(({ repair }) => repair ?? []);
  if (repairs.length > 0) say(`\n${repairs.join("\n")}`);
  remark(findings.length === 0 ? "nothing is wrong" : `${findings.length} ${findings.length === 1 ? "thing is" : "things are"} wrong`);
  return findings.length === 0 ? 0 : 1;
}
