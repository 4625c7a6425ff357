/** How sure a part of a sample is. */

/** Wilson's, for 95 of 100 samples. */
export function interval(hits: number, of: number): readonly [number, number] {
  const z = 1.96;
  const part = hits / of;
  const middle = (part + (z * z) / (2 * of)) / (1 + (z * z) / of);
  const half = (z / (1 + (z * z) / of)) * Math.sqrt((part * (1 - part)) / of + (z * z) / (4 * of * of));
  return [middle - half, middle + half];
}

export function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}
