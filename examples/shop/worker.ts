/** A worker: carries out what the shop handed over, until its process is ended or killed. */
import * as definitions from "./definitions.ts";
import { broker } from "./errand.ts";
import { ofThisProcess } from "./orders.ts";
import { ready } from "../stage/ready.ts";

ofThisProcess().database.pragma("synchronous = NORMAL"); // a job's outcome is written right after what its run wrote, and its commit syncs both

const work = broker(process.env["SHOP_STORE"] ?? "sqlite:shop.db", definitions);
await work.start({ queues: { default: 20, mail: 5 } });
ready();
