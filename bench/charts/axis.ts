/** A logarithmic axis that begins and ends at a round number. */
export interface Axis {
  readonly ticks: readonly number[];
  /** 0 at its beginning, 1 at its end. */
  readonly partOf: (value: number) => number;
}

const steps = [1, 2, 5];
/** Over more than so many decades, only these are ticks. */
const decadesMax = 2.4;

export function axisOf(values: readonly number[]): Axis {
  const usable = values.filter((value) => value > 0);
  const [from, to] = [roundDown(Math.min(...usable)), roundUp(Math.max(...usable))];
  const decades = Math.log10(to / from);
  const all = rounds(Math.floor(Math.log10(from)), Math.ceil(Math.log10(to))).filter((value) => value >= from * 0.999 && value <= to * 1.001);
  const isDecade = (value: number): boolean => Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-9;
  return {
    ticks: decades > decadesMax ? all.filter(isDecade) : all,
    partOf: (value) => Math.log10(Math.max(from, value) / from) / decades,
  };
}

export function numberOf(value: number): string {
  return value.toLocaleString("en-US", { maximumSignificantDigits: 3 });
}

function rounds(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index).flatMap((power) => steps.map((step) => step * 10 ** power));
}

function roundDown(value: number): number {
  const power = Math.floor(Math.log10(value));
  return (steps.toReversed().find((step) => step * 10 ** power <= value) ?? 1) * 10 ** power;
}

/** At least twice of what it is rounded down to: there is always a way from one to the other. */
function roundUp(value: number): number {
  const power = Math.floor(Math.log10(value));
  return (steps.find((step) => step * 10 ** power > value) ?? 10) * 10 ** power;
}
