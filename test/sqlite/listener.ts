/** Another process on the file: says when it was woken, or what it claimed and holds. */
import type { JobRow } from "../../src/core/engine.ts";
import { realRuntime } from "../../src/runtime/real.ts";
import { sqlite } from "../../src/sqlite/index.ts";
import { wanted } from "./bench.ts";

const [file = "", role] = process.argv.slice(2);
const engine = sqlite(file);
await engine.open({ runtime: realRuntime() });

if (role === "claim") {
  const claimed = await engine.claim(wanted({ process: "child" }), {});
  console.log(claimed.jobs.map(({ id }: Pick<JobRow, "id">) => id).join());
} else {
  await engine.listen(() => console.log(performance.timeOrigin + performance.now()));
  console.log("listening");
}
process.stdin.on("end", () => void engine.close()).resume();
