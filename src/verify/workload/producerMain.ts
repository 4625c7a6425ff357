/** A producer of the run: hands in until it is told to stop, then ends. */
import path from "node:path";
import { broker } from "../../index.ts";
import { HistoryWriter } from "../history.ts";
import { Seeded } from "../seeded.ts";
import { engineAt } from "../stores/reached.ts";
import { assignmentHere, begin, endWithParent } from "./assignment.ts";
import * as definitions from "./definitions.ts";
import { Producer } from "./producer.ts";

const assignment = assignmentHere();
const { name, folder, reach, seed } = assignment;

endWithParent();
const work = broker(await engineAt(reach), definitions);
const history = new HistoryWriter(path.join(folder, `${name}.calls.ndjson`), name);
const producer = new Producer(work, assignment, { chance: new Seeded(seed, name), history });
const stop = (): void => producer.stop();
process.once("message", stop);
process.once("SIGTERM", stop);
const begun = await begin(() => work.open());
if (begun) await producer.run();
await work.close().catch(() => undefined);
process.exit(begun ? 0 : 1);
