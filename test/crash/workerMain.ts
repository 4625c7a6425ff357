/** A worker process under test: says "ready" when it works, ends by signals. */
import { broker } from "../../src/index.ts";
import * as definitions from "./definitions.ts";

const work = broker(process.env["STORE"] ?? "", definitions);
await work.start({
  queues: { default: Number(process.env["HANDS"] ?? 10) },
  grace: "2s",
  ...(process.env["ISOLATE"] === "yes" && { isolate: new URL("./definitions.ts", import.meta.url) }),
});
process.send?.("ready");
