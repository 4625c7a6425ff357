/** Seeds that were used, as few ranges: "1..90", "7", "all". */

export type Span = string;

interface Range {
  readonly from: number;
  readonly to: number;
}

export function joined(spans: readonly Span[], more: Span): readonly Span[] {
  const words = new Set<Span>();
  const ranges: Range[] = [];
  for (const span of [...spans, more]) {
    const range = rangeOf(span);
    if (range === undefined) words.add(span);
    else ranges.push(range);
  }
  ranges.sort((one, other) => one.from - other.from);
  const merged: Range[] = [];
  for (const range of ranges) {
    const last = merged.at(-1);
    if (last !== undefined && range.from <= last.to + 1) merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
    else merged.push(range);
  }
  return [...words, ...merged.map(({ from, to }) => (from === to ? String(from) : `${from}..${to}`))];
}

/** The first that was never used, from `least` on. */
export function unused(spans: readonly Span[], least: number): number {
  return spans.reduce((most, span) => Math.max(most, (rangeOf(span)?.to ?? 0) + 1), least);
}

function rangeOf(span: Span): Range | undefined {
  const [, from, to] = /^(\d+)(?:\.\.(\d+))?$/.exec(span) ?? [];
  return from === undefined ? undefined : { from: Number(from), to: Number(to ?? from) };
}
