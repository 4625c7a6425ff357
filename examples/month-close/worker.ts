/** A worker: carries out the close, until its process is ended or killed. */
import { ready } from "../stage/ready.ts";
import * as definitions from "./definitions.ts";
import { broker } from "./errand.ts";

const work = broker(process.env["CLOSE_STORE"] ?? "sqlite:close.db", definitions);
await work.start({ queues: { default: 20, payments: 50, mail: 20 } });
ready();
