/** `errand migrate`: makes errand's schema on PostgreSQL, or brings it up to this version. */
import { migrate, migrationOf } from "../storeCare.ts";
import { readArguments } from "./arguments.ts";
import { remark, say } from "./output.ts";
import { plainJson } from "./plain.ts";
import { storeGiven } from "./store.ts";

const help = `errand migrate [url]  make errand's schema on PostgreSQL, or bring it up to this
                      version: all of it or nothing. Of one that is there, the
                      functions are written anew. An app that opens a store does
                      the same, if its role may

  --store URL   the store, as in postgres://owner@db/shop (or ERRAND_STORE)
  --schema S    the schema. Default: the URL's, or errand
  --print       only print the SQL that makes it, without connecting
  --json        for scripts

Exit codes: 0 done, 1 failed and undone, 2 a mistake on the command line.`;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, {
    store: { type: "string" },
    schema: { type: "string" },
    print: { type: "boolean" },
    json: { type: "boolean" },
  });
  if (given.has("help")) {
    say(help);
    return 0;
  }
  const url = storeGiven(given);
  const schema = given.text("schema");
  if (given.has("print")) {
    say(migrationOf(url, schema));
    return 0;
  }
  const { schema: name, from, to } = await migrate(url, schema);
  if (given.has("json")) say(plainJson({ schema: name, from, to }));
  else if (from === 0) say(`schema ${name} was made, at version ${to}`);
  else if (from < to) say(`schema ${name} went from version ${from} to ${to}`);
  else say(`schema ${name} was at version ${to}; its functions were written anew`);
  remark("errand doctor says whether all is as it should be");
  return 0;
}
