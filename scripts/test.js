/** `npm test`: all tests, with all their set-up. `npm test -- --help` tells how to run fewer, or more often. */
import { runOnNode } from "./setUp.js";

runOnNode("scripts/runTests.ts", process.argv.slice(2));
