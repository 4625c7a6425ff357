/** Every law, on memory. */
import { test } from "node:test";
import { holdTo, laws } from "../../src/conformance/index.ts";
import { onMemory } from "./engines.ts";

for (const law of laws) test(`${law.guarantee} on memory: ${law.name}`, () => holdTo(law, onMemory));
