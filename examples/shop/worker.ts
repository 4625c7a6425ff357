/** A worker: carries out what the shop handed over, until its process is ended or killed. */
import * as definitions from "./definitions.ts";
import { broker } from "./errand.ts";
import { ready } from "../stage/ready.ts";
import { storeOfThisProcess } from "./store.ts";

const work = broker(storeOfThisProcess(), definitions);
await work.start({ queues: { default: 20, mail: 5 } });
ready();
