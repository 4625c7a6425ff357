/** A producer of a run on servers of its own: hands in until it is told to stop, then ends. */
import path from "node:path";
import { broker } from "../../../src/index.ts";
import { appendLine, HistoryWriter } from "../../../src/verify/history.ts";
import { Seeded } from "../../../src/verify/seeded.ts";
import { assignmentHere, begin, endWithParent } from "../../../src/verify/workload/assignment.ts";
import { Producer } from "../../../src/verify/workload/producer.ts";
import { watchStarving } from "../starved.ts";
import * as definitions from "./definitions.ts";
import { ownEngineAt } from "./environment.ts";
import { OwnProducer } from "./ownProducer.ts";

const assignment = assignmentHere();
const { name, folder, reach, seed } = assignment;

endWithParent();
watchStarving(name, (line) => appendLine(path.join(folder, `${name}.starved.ndjson`), line));
const work = broker(await ownEngineAt(reach), definitions);
const history = new HistoryWriter(path.join(folder, `${name}.calls.ndjson`), name);
const producer = new Producer(work, assignment, { chance: new Seeded(seed, name), history });
const own = new OwnProducer(work, assignment, { chance: new Seeded(seed, `${name} own`), history });
const stop = (): void => {
  producer.stop();
  own.stop();
};
process.once("message", stop);
process.once("SIGTERM", stop);
const begun = await begin(() => work.open());
if (begun) await Promise.all([producer.run(), own.run()]);
await work.close().catch(() => undefined);
process.exit(begun ? 0 : 1);
