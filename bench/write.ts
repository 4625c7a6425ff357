/** docs/benchmarks.md, from one run. */
import { readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { linesOf, type Cell } from "./report.ts";
import { systems } from "./systems.ts";

export async function writeReport(cells: readonly Cell[], thrownAway: number): Promise<void> {
  const names = [...new Set(cells.map((cell) => cell.system))];
  const settings = await Promise.all(names.map(async (name) => `- **${name}**: ${(await systems[name]?.())?.settings ?? ""}`));
  const rows = linesOf(cells).map((line) => `| ${line.question} | ${line.system} | ${line.value} | ${line.spread} | ${line.ratio} | ${line.cpu} |`);
  const rounds = Math.max(...cells.map((cell) => cell.round));
  const own = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  await writeFile(
    new URL("../docs/benchmarks.md", import.meta.url),
    `# Benchmarks

Written by \`npm run bench -- --rounds ${rounds} --write\`. Systems are interleaved within one run; medians of ${rounds} rounds with the smallest and largest;
"errand is" divides errand's median by the system's. Absolute figures hold for this machine only; compare ratios.

errand ${own.version}, Node ${process.version}, ${cpus().length} cores of ${cpus()[0]?.model ?? "an unknown CPU"}. Rounds thrown away because the machine was busy: ${thrownAway}.

| question | system | median | min - max | errand is | CPU µs/job |
|---|---|--:|--:|--:|--:|
${rows.join("\n")}

Settings:
${settings.join("\n")}

What is not measured here: payloads above 50 bytes, disks slower than this one (an fsync here takes about 0.1 ms, which flatters whoever commits job by job).
`,
  );
}
