/** Enqueues one by one, each awaited: a producer among eight processes. */
import { broker } from "../../src/index.ts";
import * as definitions from "./definitions.ts";

const [from = 0, count = 0] = process.argv.slice(2).map(Number);
const work = broker(process.env["STORE"] ?? "", definitions);
for (let n = from; n < from + count; n++) await work.enqueue(definitions.brief.with({ n, ms: 1 }));
await work.close();
process.exit(0);
