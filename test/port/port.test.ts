/** The laws of the Engine port, for every engine. */
import { engines } from "./engines.ts";
import { holdToPort } from "./held.ts";

for (const engine of engines) holdToPort(engine);
