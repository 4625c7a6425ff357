/** Panels of lines over seconds, one above the other, as an SVG that is readable on light and dark pages. */
export interface Panel {
  readonly title: string;
  readonly scale: "linear" | "log";
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly number[];
  readonly lines: readonly { readonly name: string; readonly colour: "on" | "off"; readonly values: readonly number[] }[];
  readonly rule?: { readonly at: number; readonly name: string };
}
export interface Chart {
  readonly panels: readonly Panel[];
  readonly seconds: number;
  readonly shade: { readonly from: number; readonly until: number; readonly name: string };
  /** Said in the last panel, at that second. */
  readonly mark: { readonly at: number; readonly name: string };
}

const width = 860;
const left = 64;
const right = 20;
const top = 46;
const panelHeight = 150;
const gap = 52;
const plotWidth = width - left - right;
const tickSeconds = 30;

const style = `
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #3b4252; }
  .title { font-weight: 600; }
  .small { font-size: 12px; }
  .grid { stroke: #8a93a2; stroke-opacity: 0.3; }
  .rule { stroke: #6b7280; stroke-dasharray: 5 4; }
  .shade { fill: #8a93a2; fill-opacity: 0.16; }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
  .on { stroke: #0b6bcb; } .off { stroke: #c2570c; }
  text.on { fill: #0b6bcb; stroke: none; } text.off { fill: #c2570c; stroke: none; }
  @media (prefers-color-scheme: dark) {
    text { fill: #d5dae3; }
    .rule { stroke: #aab2c0; }
    .on { stroke: #6bb4ff; } .off { stroke: #ff9d5c; }
    text.on { fill: #6bb4ff; } text.off { fill: #ff9d5c; }
  }`;

export function chart({ panels, seconds, shade, mark }: Chart): string {
  const height = top + panels.length * (panelHeight + gap) - gap + 26;
  const x = (second: number): number => left + (second / seconds) * plotWidth;
  const drawn = panels.map((panel, index) => panelOf(panel, { x, y0: top + index * (panelHeight + gap), seconds, shade, isFirst: index === 0 }));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${panels.map(({ title }) => title).join("; ")}, with a breaker and without">
<style>${style}
</style>
${legend(panels[0]?.lines ?? [])}
${drawn.join("\n")}
<text class="small" x="${round(x(mark.at)) + 8}" y="${top + (panels.length - 1) * (panelHeight + gap) + panelHeight - 8}">${mark.name}</text>
</svg>
`;
}

interface Place {
  readonly x: (second: number) => number;
  readonly y0: number;
  readonly seconds: number;
  readonly shade: Chart["shade"];
  readonly isFirst: boolean;
}

function panelOf(panel: Panel, { x, y0, seconds, shade, isFirst }: Place): string {
  const y = (value: number): number => y0 + panelHeight * (1 - partOf(panel, value));
  const parts = [
    `<rect class="shade" x="${x(shade.from)}" y="${y0}" width="${x(shade.until) - x(shade.from)}" height="${panelHeight}"/>`,
    ...panel.ticks.map((tick) => `<line class="grid" x1="${left}" x2="${width - right}" y1="${round(y(tick))}" y2="${round(y(tick))}"/>`),
    ...panel.ticks.map((tick) => `<text class="small" x="${left - 8}" y="${round(y(tick)) + 4}" text-anchor="end">${tick.toLocaleString("en-US")}</text>`),
    `<text class="title" x="${left}" y="${y0 - 9}">${panel.title}</text>`,
    ...panel.lines.map(
      ({ colour, values }) =>
        `<polyline class="line ${colour}" points="${values.map((value, second) => `${round(x(second + 0.5))},${round(y(value))}`).join(" ")}"/>`,
    ),
    ...ticksOf(seconds).map(
      (second) => `<text class="small" x="${round(x(second))}" y="${y0 + panelHeight + 17}" text-anchor="middle">${second === 0 ? "0 s" : second}</text>`,
    ),
  ];
  if (panel.rule)
    parts.push(
      `<line class="rule" x1="${left}" x2="${width - right}" y1="${round(y(panel.rule.at))}" y2="${round(y(panel.rule.at))}"/>`,
      `<text class="small" x="${left + 6}" y="${round(y(panel.rule.at)) - 5}">${panel.rule.name}</text>`,
    );
  if (isFirst)
    parts.push(`<text class="small" x="${(x(shade.from) + x(shade.until)) / 2}" y="${y0 + panelHeight - 8}" text-anchor="middle">${shade.name}</text>`);
  return `<g>\n${parts.join("\n")}\n</g>`;
}

function legend(lines: Panel["lines"]): string {
  return lines
    .map(({ name, colour }, index) => {
      const at = width - right - (lines.length - index) * 160 + 12;
      return `<line class="line ${colour}" x1="${at}" x2="${at + 26}" y1="14" y2="14"/><text class="${colour}" x="${at + 33}" y="18">${name}</text>`;
    })
    .join("\n");
}

function partOf({ scale, from, to }: Panel, value: number): number {
  const held = Math.min(to, Math.max(from, value));
  return scale === "linear" ? (held - from) / (to - from) : Math.log(held / from) / Math.log(to / from);
}

function ticksOf(seconds: number): number[] {
  return Array.from({ length: Math.floor(seconds / tickSeconds) + 1 }, (_, index) => index * tickSeconds);
}

const round = (value: number): number => Math.round(value * 10) / 10;
