/** A worker of the run: works until a signal ends it. */
import { broker } from "../../index.ts";
import { engineAt } from "../stores/reached.ts";
import { assignmentHere, begin, endWithParent } from "./assignment.ts";
import * as definitions from "./definitions.ts";

const { reach, hands, lease } = assignmentHere();
const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";

endWithParent();
const isolate = new URL(`./definitions.${extension}`, import.meta.url);
const work = broker(await engineAt(reach), definitions);
const begun = await begin(() => work.start({ queues: { default: hands }, lease, grace: "1s", isolate }));
if (!begun) process.exit(1);
