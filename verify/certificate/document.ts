/** docs/reliability.md, as the certificate and the matrix of planted bugs have it. */
import { writeFileSync } from "node:fs";
import { inRoot } from "../../scripts/root.ts";
import { catchers } from "../planted/layers.ts";
import { allPlanted, readMatrix } from "../planted/matrix.ts";
import { readCertificate, type Certificate, type Sum } from "./certificate.ts";
import { found } from "./found.ts";
import { goalsOf, shown } from "./goals.ts";
import { limits, opening } from "./prose.ts";

export const documentFile: string = inRoot("docs/reliability.md");

export function writeReliability(): void {
  writeFileSync(documentFile, reliability());
}

export function reliability(): string {
  const certificate = readCertificate();
  return `${[opening, goals(certificate), layers(certificate), broken(certificate), planted(), bugs(), limits].join("\n\n")}\n`;
}

function goals(certificate: Certificate): string {
  const rows = goalsOf(certificate).map(({ what, goal, soFar }) => [what, goal, soFar]);
  return `## Goals, and how far it has come\n\nSummed over all runs that were recorded. They grow with each \`npm run verify:soak\`.\n\n${table(["", "goal", "so far"], rows)}`;
}

function layers({ sums, version }: Certificate): string {
  const rows = sums.map((sum) => [sum.layer, sum.engine, shown(sum.runs), countsOf(sum), sum.seeds.join(", "), whenOf(sum)]);
  const body = rows.length === 0 ? "Nothing has been recorded yet." : table(["layer", "on", "runs", "counts", "seeds", "commits"], rows);
  return `## What was run\n\nVersion ${version}. Names that end in \`Most\` are the largest of all runs, the others are added up; a commit with a \`+\` had changes of its own, and one that the history does not know was put together with others later. The same figures as data: [verify/certificate.json](../verify/certificate.json).\n\n${body}`;
}

function broken({ broken: all }: Certificate): string {
  const intro = "## Runs that broke something\n\nA soak stops at the first, and the run stays on record.";
  if (all.length === 0) return `${intro}\n\nNone so far.`;
  return `${intro}\n\n${table(
    ["when", "layer", "again by", "what it was"],
    all.map(({ at, commit, layer, command, cause }) => [`${at.slice(0, 10)}, ${commit}`, layer, `\`${command}\``, cause ?? "open"]),
  )}`;
}

function planted(): string {
  const matrix = readMatrix();
  const rows = allPlanted.map(({ name, what, breaks, area, engine }) => {
    const seen = Object.entries(matrix[name] ?? {});
    const caught = seen.filter(([, { by }]) => by !== null).map(([layer, { seconds }]) => `${layer} (${seconds} s)`);
    const missed = seen.filter(([, { by }]) => by === null).map(([layer]) => layer);
    return [`\`${name}\``, what, breaks, area, engine, caught.join(", ") || "not caught", missed.join(", ")];
  });
  const names = catchers.map(({ layer }) => layer).join(", ");
  return `## Planted bugs\n\nA test is worth what it catches. Each of these bugs is switched on by name in a test build, and \`npm run verify -- planted\` runs the layer that should catch it; times are those of a busy machine, with the start of the process. A layer that is not named was not tried with that bug: ${names}, and the tests of a folder.\n\n${table(["name", "what goes wrong", "breaks", "where", "engine", "caught by", "not seen by"], rows)}`;
}

function bugs(): string {
  const rows = found.map(({ what, engine, by, commit }) => [what, engine, by, commit]);
  return `## Bugs found in errand\n\nBefore the first release, as far as the history tells of them: what was wrong, and which layer came with the repair. Where the repair came with tests of its own alone, who found it is not on record.\n\n${table(["what", "engine", "found by", "mended in"], rows)}`;
}

function countsOf({ counts }: Sum): string {
  return Object.entries(counts)
    .filter(([, count]) => count !== 0)
    .map(([name, count]) => `${name} ${shown(count)}`)
    .join(", ");
}

function whenOf({ first, last }: Sum): string {
  const day = ({ at, commit }: Sum["first"]): string => `${at.slice(0, 10)} ${commit}`;
  return first.commit === last.commit ? day(first) : `${day(first)} to ${day(last)}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}
