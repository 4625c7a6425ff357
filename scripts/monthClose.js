/** `npm run month-close`: the month's close, with all its set-up. Arguments are passed on. */
import { runOnNode } from "./setUp.js";

runOnNode("examples/month-close/main.ts", process.argv.slice(2));
