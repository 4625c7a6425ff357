/** The laws of the Engine port on the memory engine alone, which needs no server: they look at core's table of states. */
import { memory } from "../../src/memory/index.ts";
import { holdToPort } from "../../test/port/held.ts";

holdToPort({ name: "memory", fresh: () => Promise.resolve({ engine: memory(), dispose: () => undefined }) });
