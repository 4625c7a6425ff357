/** A worker of a run on servers of its own: works until a signal ends it. */
import path from "node:path";
import { broker } from "../../../src/index.ts";
import { appendLine } from "../../../src/verify/history.ts";
import { assignmentHere, begin, endWithParent } from "../../../src/verify/workload/assignment.ts";
import { watchStarving } from "../starved.ts";
import * as definitions from "./definitions.ts";
import { ownEngineAt } from "./environment.ts";
import { witnessed } from "./witness.ts";

const { name, folder, reach, hands, lease } = assignmentHere();

endWithParent();
watchStarving(name, (line) => appendLine(path.join(folder, `${name}.starved.ndjson`), line));
definitions.isTheWorker();
const isolate = new URL("./definitions.ts", import.meta.url);
const work = broker(witnessed(await ownEngineAt(reach), folder, name), definitions);
const begun = await begin(() => work.start({ queues: { default: hands }, lease, grace: "1s", isolate }));
if (!begun) process.exit(1);
