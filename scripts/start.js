/** `npm start`: the shop, with all its set-up. Arguments are passed on. */
import { runOnNode } from "./setUp.js";

runOnNode("examples/shop/main.ts", process.argv.slice(2));
