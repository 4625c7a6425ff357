/** One system, one question, one fresh file: prints its figures as a line of JSON. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systems } from "./systems.ts";
import type { Question } from "./systems/system.ts";

const [name, question, jobs] = process.argv.slice(2);
const system = await systems[name ?? ""]?.();
const answer = system?.answers[question as Question];
if (answer === undefined) throw new Error(`${name} does not answer ${question}`);
const folder = mkdtempSync(join(tmpdir(), "errand-bench-"));
try {
  const before = process.cpuUsage();
  const figures = await answer(join(folder, "bench.db"), Number(jobs));
  const cpu = process.cpuUsage(before);
  console.log(JSON.stringify({ ...figures, cpuSeconds: (cpu.user + cpu.system) / 1e6, peakMiB: process.resourceUsage().maxRSS / 1_024 }));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
