/** `ERRAND_PLANTED=… node --import ./verify/planted/hook.ts verify/planted/inLaws.ts memory ["a law to begin with"]`: tells the first law that goes red, as JSON. */
import { holdTo, LawBroken, laws } from "../../src/conformance/index.ts";
import { onMemory, onPostgres, onRedis, onSqlite } from "../../test/conformance/engines.ts";

const makers = { memory: onMemory, sqlite: onSqlite, postgres: onPostgres, redis: onRedis };
const [engine = "memory", ...first] = process.argv.slice(2);
const maker = makers[engine as keyof typeof makers];
let told: { readonly caught: boolean; readonly by?: string; readonly error?: string } = { caught: false };
const isFirst = ({ name }: { readonly name: string }): boolean => first.includes(name);
for (const law of [...laws.filter(isFirst), ...laws.filter((one) => !isFirst(one))]) {
  const error = await holdTo(law, maker).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error === undefined) continue;
  told = { caught: true, by: law.name, error: `${error instanceof LawBroken ? "" : "not by its own word: "}${String(error)}` };
  break;
}
console.log(JSON.stringify(told));
process.exit(0);
