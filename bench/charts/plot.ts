/** Panels of lines with their spread, each named at its end, as an SVG that brings its own ground and is readable on light and dark pages. */
import { axisOf, numberOf, type Axis } from "./axis.ts";
import { paletteStyle, type Look } from "./palette.ts";

export interface Point {
  readonly x: number;
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface Line {
  readonly name: string;
  /** Said beside its name. */
  readonly aside?: string;
  readonly look: Look;
  readonly points: readonly Point[];
}

export interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
}

export interface Plot {
  readonly title: string;
  /** What the spread is, and of how many rounds. */
  readonly note: string;
  readonly x: { readonly label: string; readonly ticks: readonly { readonly at: number; readonly text: string }[]; readonly scale: (value: number) => number };
  /** Logarithmic. */
  readonly yLabel: string;
  readonly panels: readonly Panel[];
}

const width = 860;
const left = 84;
const right = 196;
const top = 66;
const panelHeight = 250;
const panelGap = 78;
const bottom = 58;
const plotWidth = width - left - right;
const labelGap = 17;
const inset = 14;
/** More than so many points are a curve: its spread is a band, and no marks are on it. */
const marksMax = 8;

const style = `
  .ground { fill: #ffffff; }
  text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #3b4252; }
  .title { font-size: 16px; font-weight: 600; }
  .panel { font-weight: 600; }
  .small { font-size: 12px; }
  .grid { stroke: #8a93a2; stroke-opacity: 0.28; }
  .axis { stroke: #8a93a2; }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
  .own { stroke-width: 3; }
  .bar { stroke-width: 1.5; stroke-opacity: 0.75; }
  .band { fill-opacity: 0.16; }
  .lead { stroke-opacity: 0.6; fill: none; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #12161c; }
    text { fill: #d5dae3; }
  }`;

export function svgOf({ title, note, x, yLabel, panels }: Plot): string {
  const height = top + panels.length * (panelHeight + panelGap) - panelGap + bottom;
  const drawn = panels.map((panel, index) => panelOf(panel, { x, yLabel, y0: top + 14 + index * (panelHeight + panelGap) }));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height + 14}" width="${width}" role="img" aria-label="${escaped(title)}">
<style>${style}${paletteStyle}
</style>
<rect class="ground" width="${width}" height="${height + 14}" rx="6"/>
<text class="title" x="20" y="28">${escaped(title)}</text>
<text class="small" x="20" y="47">${escaped(note)}</text>
${drawn.join("\n")}
</svg>
`;
}

interface Place {
  readonly x: Plot["x"];
  readonly yLabel: string;
  readonly y0: number;
}

function panelOf({ title, lines }: Panel, { x, yLabel, y0 }: Place): string {
  const scaled = x.ticks.map(({ at }) => x.scale(at));
  const [first, last] = [Math.min(...scaled), Math.max(...scaled)];
  const xOf = (value: number): number => round(left + inset + ((x.scale(value) - first) / (last - first)) * (plotWidth - 2 * inset));
  const axis = axisOf(lines.flatMap(({ points }) => points.flatMap(({ least, most }) => [least, most])));
  const yOf = (value: number): number => round(y0 + panelHeight * (1 - axis.partOf(value)));
  const below = y0 + panelHeight;
  return [
    "<g>",
    `<text class="panel" x="${left}" y="${y0 - 9}">${escaped(title)}</text>`,
    ...gridOf(axis, yOf),
    `<text class="small" x="18" y="${y0 + panelHeight / 2}" text-anchor="middle" transform="rotate(-90 18 ${y0 + panelHeight / 2})">${escaped(yLabel)}</text>`,
    `<line class="axis" x1="${left}" x2="${left + plotWidth}" y1="${below}" y2="${below}"/>`,
    ...x.ticks.map(({ at, text }) => `<text class="small" x="${xOf(at)}" y="${below + 17}" text-anchor="middle">${escaped(text)}</text>`),
    `<text class="small" x="${left + plotWidth / 2}" y="${below + 36}" text-anchor="middle">${escaped(x.label)}</text>`,
    // The first is on top of the others.
    ...lines.toReversed().map((line) => lineOf(line, xOf, yOf)),
    ...labelsOf(lines, xOf, yOf, y0 + panelHeight),
    "</g>",
  ].join("\n");
}

function gridOf(axis: Axis, yOf: (value: number) => number): readonly string[] {
  return axis.ticks.flatMap((tick) => [
    `<line class="grid" x1="${left}" x2="${left + plotWidth}" y1="${yOf(tick)}" y2="${yOf(tick)}"/>`,
    `<text class="small" x="${left - 9}" y="${yOf(tick) + 4}" text-anchor="end">${numberOf(tick)}</text>`,
  ]);
}

function lineOf({ look, points }: Line, xOf: (value: number) => number, yOf: (value: number) => number): string {
  const at = (value: (point: Point) => number) => (point: Point) => `${xOf(point.x)},${yOf(value(point))}`;
  const isCurve = points.length > marksMax;
  const spread = isCurve
    ? `<polygon class="band ${look.name}" points="${[...points.map(at(({ most }) => most)), ...points.toReversed().map(at(({ least }) => least))].join(" ")}"/>`
    : points.map((point) => barOf(point, look, xOf(point.x), yOf)).join("");
  const marks = isCurve ? "" : points.map((point) => look.mark(xOf(point.x), yOf(point.median))).join("");
  const line = `<polyline class="line ${look.name}${look.isOwn ? " own" : ""}"${look.dashes} points="${points.map(at(({ median }) => median)).join(" ")}"/>`;
  return `${spread}${line}${marks}`;
}

function barOf({ least, most }: Point, look: Look, x: number, yOf: (value: number) => number): string {
  const ends = [least, most].map((value) => `<line class="bar ${look.name}" x1="${x - 4}" x2="${x + 4}" y1="${yOf(value)}" y2="${yOf(value)}"/>`);
  return `<line class="bar ${look.name}" x1="${x}" x2="${x}" y1="${yOf(least)}" y2="${yOf(most)}"/>${ends.join("")}`;
}

/** At the ends of the lines: those that end at the right apart from each other, others where they end. */
function labelsOf(lines: readonly Line[], xOf: (value: number) => number, yOf: (value: number) => number, below: number): readonly string[] {
  const ends = lines
    .flatMap(({ name, aside, look, points }) =>
      points.slice(-1).map((point) => ({ text: aside === undefined ? name : `${name}, ${aside}`, look, x: xOf(point.x), y: yOf(point.median) })),
    )
    .sort((a, b) => a.y - b.y);
  const isAtTheRight = ({ x }: { readonly x: number }): boolean => x >= left + plotWidth - inset - 1;
  const outside = ends.filter(isAtTheRight);
  const ys = apart(
    outside.map(({ y }) => y),
    below,
  );
  return [
    ...ends.filter((end) => !isAtTheRight(end)).map(({ text, look, x, y }) => `<text class="${look.name}" x="${x + 10}" y="${y + 4}">${escaped(text)}</text>`),
    ...outside.map(({ text, look, x, y }, index) => {
      const [from, to, labelY] = [x + 7, left + plotWidth + 10, ys[index] ?? y];
      return `<polyline class="lead ${look.name}" points="${from},${y} ${to - 8},${labelY} ${to},${labelY}"/><text class="${look.name}" x="${to + 4}" y="${labelY + 4}">${escaped(text)}</text>`;
    }),
  ];
}

/** Sorted from the top: pushed down where they are too near, and up again where they would leave the panel. */
function apart(ys: readonly number[], most: number): readonly number[] {
  const down: number[] = [];
  for (const y of ys) down.push(Math.max(y, (down.at(-1) ?? Number.NEGATIVE_INFINITY) + labelGap));
  const up: number[] = [];
  for (const y of down.toReversed()) up.push(round(Math.min(y, (up.at(-1) ?? most + labelGap) - labelGap)));
  return up.reverse();
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
