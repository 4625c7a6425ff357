/** docs/benchmarks.md: a section per store, each from one run. A section that a run did not answer as a whole stays as it was. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { caveatOf } from "./caveats.ts";
import { chartsOf } from "./charts/charts.ts";
import type { Cell } from "./figures.ts";
import { sections, storeOf, type Section } from "./question.ts";
import { questionsFor } from "./questions.ts";
import { busy, names, seriesOf, tableOf, thrownAway, type Table } from "./report.ts";
import type { Run } from "./run.ts";
import { systems } from "./systems.ts";

const document = new URL("../docs/benchmarks.md", import.meta.url);
const charts = new URL("../docs/benchmarks/", import.meta.url);

/** Answers the titles of the sections that were written, each with its charts beside the document. */
export async function writeReport(run: Run): Promise<readonly string[]> {
  const whole = (Object.keys(sections) as Section[]).filter((section) => isWhole(run.cells, section));
  let text = await readFile(document, "utf8");
  await mkdir(charts, { recursive: true });
  for (const section of whole) {
    text = withSection(text, sections[section], await sectionOf(run, section));
    for (const { name, svg } of chartsOf(run.cells, section)) await writeFile(new URL(`${name}.svg`, charts), svg);
  }
  await writeFile(document, text);
  return whole.map((section) => sections[section]);
}

function isWhole(cells: readonly Cell[], section: Section): boolean {
  return questionsFor({ full: true, huge: false, question: undefined, store: undefined })
    .filter((question) => question.section === section)
    .every(({ title, systems: asked }) =>
      asked.every((system) => cells.some((cell) => cell.section === section && cell.question === title && cell.system === system)),
    );
}

/** In the order of the sections; those that are not ours stay at the end. */
function withSection(text: string, title: string, section: string): string {
  const [head = "", ...others] = text.split(/^(?=## )/m);
  const titleOf = (other: string): string => other.slice("## ".length, other.indexOf("\n"));
  const order = Object.values(sections);
  const placeOf = (other: string): number => (order.includes(titleOf(other)) ? order.indexOf(titleOf(other)) : order.length);
  const kept = [...others.filter((other) => titleOf(other) !== title), section].sort((a, b) => placeOf(a) - placeOf(b));
  return [head, ...kept].map((part) => `${part.trimEnd()}\n`).join("\n");
}

async function sectionOf({ cells: all, machine, command }: Run, section: Section): Promise<string> {
  const cells = all.filter((cell) => cell.section === section);
  const rounds = Math.max(...cells.map((cell) => cell.round));
  const asked = [...new Set(cells.map((cell) => cell.system))];
  const settings = await Promise.all(asked.map(async (name) => `- **${name}**: ${(await systems[name]?.())?.settings ?? ""}`));
  const own = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  const facts = machine.servers[storeOf(section)];
  const server = facts === undefined ? "" : `, ${facts}`;
  const series = seriesOf(cells).map((line) => `- ${line}\n`);
  return [
    `## ${sections[section]}`,
    `Written by \`${command}\`: medians of ${rounds} rounds with the smallest and largest.`,
    `errand ${own.version}, Node ${machine.node}${server}, ${machine.cores} cores of ${machine.cpu}. Rounds thrown away because the machine was busy: ${thrownAway(cells)}; kept although it was: ${busy(cells)}.`,
    ...chartsOf(all, section).map(({ name, alt }) => `![${alt}](benchmarks/${name}.svg)`),
    markdownOf(tableOf(cells, section)),
    ...(series.length > 0 ? [`Thousands of jobs in each second:\n\n${series.join("")}`.trimEnd()] : []),
    `Settings:\n${settings.join("\n")}`,
    caveatOf(section),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function markdownOf({ head, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), `|${head.map((_, column) => (column < names ? "---" : "--:")).join("|")}|`, ...rows.map(line)].join("\n");
}
